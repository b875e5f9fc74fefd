import type { Container, PodSpec } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { formatQuantity } from './quantities.ts';
import { podResources, qosClass } from './resources.ts';

type List = Record<string, string>;
const container = (requests: List = {}, limits: List = {}, more: Partial<Container> = {}): Container => ({
  name: 'c',
  resources: { requests, limits },
  ...more,
});
const sidecar = (requests: List): Container => container(requests, {}, { restartPolicy: 'Always' });
const requestsOf = (spec: PodSpec): List =>
  Object.fromEntries(
    Array.from(podResources({ spec }, 'requests'), ([name, amount]) => [name, formatQuantity(amount)]),
  );

describe('what a pod requests', () => {
  test('is what its containers request together', () => {
    expect(requestsOf({ containers: [container({ cpu: '250m', memory: '64Mi' }), container({ cpu: '0.5' })] })).toEqual(
      {
        cpu: '750m',
        memory: '67108864',
      },
    );
  });

  test('is at least the largest init container', () => {
    const initContainers = [container({ cpu: '2' }), container({ cpu: '1', memory: '1Gi' })];
    expect(requestsOf({ initContainers, containers: [container({ cpu: '500m' })] })).toEqual({
      cpu: '2',
      memory: '1073741824',
    });
  });

  test('counts sidecars with the containers, and with the init containers after them', () => {
    const initContainers = [container({ cpu: '2' }), sidecar({ cpu: '1' }), container({ cpu: '3' })];
    expect(requestsOf({ initContainers, containers: [container({ cpu: '1' })] })).toEqual({ cpu: '4' });
  });

  test('is what the pod itself says, plus its overhead', () => {
    const spec = {
      containers: [container({ cpu: '1', memory: '1Ki' })],
      resources: { requests: { cpu: '3' } },
      overhead: { cpu: '100m' },
    };
    expect(requestsOf(spec)).toEqual({ cpu: '3100m', memory: '1024' });
  });

  test('is the limit where only that is set', () => {
    expect(requestsOf({ containers: [container({}, { cpu: '1' })] })).toEqual({ cpu: '1' });
  });
});

describe('the quality of service', () => {
  test.each([
    ['BestEffort', [container()]],
    ['Guaranteed', [container({}, { cpu: '1', memory: '1Gi' })]],
    ['Guaranteed', [container({ cpu: '1000m', memory: '1024Mi' }, { cpu: '1', memory: '1Gi' })]],
    ['Burstable', [container({ cpu: '1' }, { cpu: '1' })]],
    ['Burstable', [container({ cpu: '1', memory: '1Gi' }, { cpu: '2', memory: '1Gi' })]],
    ['Burstable', [container({}, { cpu: '1', memory: '1Gi' }), container()]],
    ['BestEffort', [container({ 'ephemeral-storage': '1Gi' })]],
  ])('is %s', (qos, containers) => {
    expect(qosClass({ spec: { containers } })).toBe(qos);
  });

  test('is decided by the pod’s own resources where it has some', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' } };
    expect(qosClass({ spec: { containers: [container()], resources } })).toBe('Guaranteed');
  });
});
