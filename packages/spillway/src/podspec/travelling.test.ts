import type { Pod } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { fieldTravels, revisionOf, travellingAnnotations, travellingLabels } from './travelling.ts';

const pod: Pod = {
  metadata: {
    labels: { app: 'web', 'virtual-kubelet.io/burst-to-cci': 'auto' },
    annotations: {
      team: 'shop',
      'prometheus.io/scrape': 'true',
      'kubectl.kubernetes.io/restartedAt': 'today',
      'kubernetes.io/config.mirror': 'x',
      'spillway.dev/burst-policy': 'auto',
      'virtual-kubelet.cci.io/burst-pod-cpu': '0.5u',
    },
  },
  spec: { containers: [{ name: 'app', image: 'nginx:1' }] },
};
const edited = (metadata: Pod['metadata'], spec: Partial<Pod['spec']> = {}): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, ...metadata },
  spec: { containers: [], ...pod.spec, ...spec },
});

describe('to a backend', () => {
  test('go the labels of a pod but those that let it burst', () => {
    expect(travellingLabels(pod)).toEqual({ app: 'web' });
  });

  test('go the annotations of its users, and not what this cluster says to itself', () => {
    expect(travellingAnnotations(pod)).toEqual({ team: 'shop', 'prometheus.io/scrape': 'true' });
  });
});

test.each([
  ["metadata.annotations['team']", true],
  ["metadata.labels['app']", true],
  ["metadata.annotations['spillway.dev/burst-policy']", false],
  ["metadata.labels['virtual-kubelet.io/burst-to-cci']", false],
  ['metadata.name', false],
  ['status.podIP', true],
])('a variable of %s can be asked for there: %s', (fieldPath, travels) => {
  expect(fieldTravels(fieldPath)).toBe(travels);
});

describe('an edit of a pod', () => {
  test.each<[string, Pod]>([
    ['of a label', edited({ labels: { app: 'api' } })],
    ['that removes a label', edited({ labels: {} })],
    ['of an annotation', edited({ annotations: { team: 'search' } })],
    ['of an image', edited({}, { containers: [{ name: 'app', image: 'nginx:2' }] })],
    [
      'of a resource',
      edited({}, { containers: [{ name: 'app', image: 'nginx:1', resources: { limits: { cpu: '1' } } }] }),
    ],
    ['of its deadline', edited({}, { activeDeadlineSeconds: 5 })],
  ])('%s is news for its instance', (_, news) => {
    expect(revisionOf(news)).not.toBe(revisionOf(pod));
  });

  test.each<[string, Pod]>([
    ['of tolerations', edited({}, { tolerations: [{ operator: 'Exists' }] })],
    ['of what Spillway notes', edited({ annotations: { ...pod.metadata?.annotations, 'spillway.dev/x': 'y' } })],
    ['of its status', { ...pod, status: { phase: 'Running' } }],
  ])('%s is none', (_, news) => {
    expect(revisionOf(news)).toBe(revisionOf(pod));
  });

  test('of any annotation is, when a file of the pod shows them', () => {
    const volumes = [
      { name: 'told', downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.annotations' } }] } },
    ];
    const before = edited({}, { volumes });
    const after = edited({ annotations: { ...pod.metadata?.annotations, 'spillway.dev/x': 'y' } }, { volumes });
    expect(revisionOf(after)).not.toBe(revisionOf(before));
  });
});
