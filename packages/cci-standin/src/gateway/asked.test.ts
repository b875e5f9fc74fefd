import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../json.ts';
import { requestingAsMade, requestingNothing } from './asked.ts';
import { withPods } from './pods-in.ts';

const route = (resource: string): Parameters<typeof withPods>[0] => ({ groupVersion: 'v1', resource });

function container(name: string, limits: object, requests?: object): JsonObject {
  return { name, image: 'busybox', resources: { limits, ...(requests && { requests }) } };
}

const one = { cpu: '1', memory: '2Gi' };
const pod = {
  metadata: { name: 'p', annotations: { own: 'yes' } },
  spec: {
    initContainers: [{ name: 'first' }],
    containers: [container('a', one, one), container('b', { cpu: '0.5', memory: '1Gi' })],
  },
};

describe('a pod on its way to the node', () => {
  const stored = requestingNothing(pod);

  test('requests nothing of what a machine has little of, and has its limits', () => {
    const none = { cpu: '0', memory: '0' };
    expect(stored).toMatchObject({
      metadata: { annotations: { own: 'yes' } },
      spec: {
        initContainers: [{ name: 'first' }],
        containers: [
          { resources: { limits: one, requests: none } },
          { resources: { limits: { cpu: '0.5', memory: '1Gi' }, requests: none } },
        ],
      },
    });
    const gpu = container('gpu', { ...one, 'nvidia.com/gpu': '1' }, { ...one, 'nvidia.com/gpu': '1' });
    expect(requestingNothing({ spec: { containers: [gpu] } })).toMatchObject({
      spec: { containers: [{ resources: { requests: { cpu: '0', 'nvidia.com/gpu': '1' } } }] },
    });
  });

  test('comes back as it was made, with requests where they were left out, as an API server fills them in', () => {
    const [a, b] = pod.spec.containers;
    const filled = {
      ...b,
      resources: { limits: { cpu: '0.5', memory: '1Gi' }, requests: { cpu: '0.5', memory: '1Gi' } },
    };
    expect(requestingAsMade(stored)).toEqual({ ...pod, spec: { ...pod.spec, containers: [a, filled] } });
  });

  test('has requests below its limits, too, in the words of the API server where they are the same', () => {
    const made = {
      spec: { containers: [container('a', { cpu: '0.5', memory: '1Gi' }, { cpu: '0.5', memory: '512Mi' })] },
    };
    const { metadata } = requestingNothing(made);
    const rewritten = container('a', { cpu: '500m', memory: '1Gi' }, { cpu: '0', memory: '0' });
    expect(requestingAsMade({ metadata, spec: { containers: [rewritten] } })).toMatchObject({
      spec: { containers: [{ resources: { requests: { cpu: '500m', memory: '512Mi' } } }] },
    });
  });

  test('keeps a request that the API server has to refuse', () => {
    const wrong = container('a', one, { cpu: '2', memory: 'much' });
    expect(requestingNothing({ spec: { containers: [wrong] } })).toEqual({ spec: { containers: [wrong] } });
  });

  test('is not told by its maker what it was made with', () => {
    const annotations = { 'requests.cci-standin/a': '{"cpu":"9"}' };
    const shown = requestingAsMade(requestingNothing({ ...pod, metadata: { name: 'p', annotations } }));
    expect(shown).toMatchObject({
      metadata: { name: 'p' },
      spec: { containers: [{ resources: { requests: one } }, {}] },
    });
    expect(shown).not.toHaveProperty('metadata.annotations');
  });

  test('is changed without a word of what it was made with', () => {
    const change = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'c' }] } };
    expect(requestingNothing(change)).toEqual(change);
  });
});

function statusOf(...containers: JsonObject[]): unknown {
  const stored = requestingNothing({ spec: { containers } });
  const resources = { limits: one, requests: { cpu: '0', memory: '0' } };
  const containerStatuses = [{ name: 'a', ready: true, resources, allocatedResources: { cpu: '0', memory: '0' } }];
  return requestingAsMade({ ...stored, status: { qosClass: 'Burstable', containerStatuses } })['status'];
}

describe('the status of a pod', () => {
  test('says what its containers were given', () => {
    expect(statusOf(container('a', one))).toEqual({
      qosClass: 'Guaranteed',
      containerStatuses: [
        { name: 'a', ready: true, resources: { limits: one, requests: one }, allocatedResources: one },
      ],
    });
  });

  test('says the class that Kubernetes would give to what was requested', () => {
    expect(statusOf(container('a', one, { cpu: '500m' }))).toMatchObject({ qosClass: 'Burstable' });
    expect(statusOf(container('a', one), { name: 'b' })).toMatchObject({ qosClass: 'Burstable' });
    expect(statusOf(container('a', { 'ephemeral-storage': '1Gi' }))).toMatchObject({ qosClass: 'BestEffort' });
  });
});

describe('what the API server answers', () => {
  const stored = requestingNothing(pod);
  const requests = { spec: { containers: [{ resources: { requests: one } }, {}] } };

  test('is shown as made in objects, lists and templates', () => {
    expect(withPods(route('pods'), stored, requestingAsMade)).toMatchObject(requests);
    const list = { kind: 'PodList', items: [stored] };
    expect(withPods(route('pods'), list, requestingAsMade)).toMatchObject({ items: [requests] });
    const deployment = { kind: 'Deployment', spec: { replicas: 1, template: stored } };
    expect(withPods(route('deployments'), deployment, requestingAsMade)).toMatchObject({
      spec: { replicas: 1, template: requests },
    });
  });

  test('shows in the rows of a table nothing that is only kept', () => {
    const { metadata } = stored;
    const table = { kind: 'Table', rows: [{ cells: ['p'], object: { kind: 'PartialObjectMetadata', metadata } }] };
    expect(withPods(route('pods'), table, requestingAsMade)).toEqual({
      kind: 'Table',
      rows: [{ cells: ['p'], object: { kind: 'PartialObjectMetadata', metadata: pod.metadata } }],
    });
  });

  test('stays as it is where nothing was kept', () => {
    for (const other of [{ kind: 'Status', code: 404 }, pod, { kind: 'Deployment', spec: {} }]) {
      expect(withPods(route('deployments'), other, requestingAsMade)).toEqual(other);
    }
    expect(withPods(route('pods'), pod, requestingAsMade)).toEqual(pod);
  });
});
