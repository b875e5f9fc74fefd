import type { Node, Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import type { Explanation } from '../pods/explain.ts';
import { supports } from '../backends/support.ts';
import { boundClaims } from '../podspec/testing/claims.ts';
import { poolsOfNodes } from './pools.ts';
import { why } from './why.ts';

const virtualNode: Node = {
  metadata: {
    name: 'virtual-kubelet',
    labels: { type: 'virtual-kubelet' },
    annotations: { 'spillway.dev/sizing': 'none', 'spillway.dev/backend': 'kubernetes' },
  },
  spec: {
    taints: [
      { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' },
      { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' },
    ],
  },
  status: { allocatable: { cpu: '1', pods: '1' }, conditions: [{ type: 'Ready', status: 'True' }] },
};
const realNode: Node = { metadata: { name: 'node-1' } };
const nodes = [realNode, virtualNode];
const { pools } = poolsOfNodes([virtualNode], supports);

function pod(metadata: Partial<Pod['metadata']>, spec: Partial<Pod['spec']> = {}, status: Pod['status'] = {}): Pod {
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-1', ...metadata },
    spec: { containers: [], ...spec },
    status,
  };
}

const ask = (about: Pod, more: Partial<Parameters<typeof why>[0]> = {}): ReturnType<typeof why> =>
  why({ pod: about, nodes, pools, events: [], ...more });

describe('the policy of a pod', () => {
  const auto = { 'virtual-kubelet.io/burst-to-cci': 'auto' };

  it.each([
    [{}, { value: 'off', source: 'no label and no matching ScheduleProfile' }],
    [{ labels: auto }, { value: 'auto', source: 'label virtual-kubelet.io/burst-to-cci' }],
    [
      { labels: auto, annotations: { 'scheduling.cci.io/managed-by-profile': 'night' } },
      { value: 'auto', source: 'ScheduleProfile night' },
    ],
    [
      { labels: { 'bursting.cci.io/burst-to-cci': 'on' } },
      { value: 'invalid', source: 'label bursting.cci.io/burst-to-cci=on' },
    ],
  ])('of %j', (metadata, policy) => {
    expect(ask(pod(metadata)).policy).toEqual(policy);
  });
});

const on = (nodeName: string): unknown => ask(pod({}, { nodeName })).placement;

describe('where a pod is', () => {
  it('on a real or a virtual node', () => {
    expect(on('node-1')).toEqual({ kind: 'bound', node: 'node-1', virtual: false });
    expect(on('virtual-kubelet')).toEqual({ kind: 'bound', node: 'virtual-kubelet', virtual: true });
  });

  it('nowhere, because a gate holds it back', () => {
    const gated = pod({}, { schedulingGates: [{ name: 'example.com/quota' }] });
    expect(ask(gated).placement).toEqual({ kind: 'gated', gates: ['example.com/quota'] });
  });

  it('nowhere, with what its scheduler said, and what keeps it from each virtual node', () => {
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' };
    const answer = ask(pod({}, {}, { conditions: [condition] }));
    expect(answer.placement).toEqual({
      kind: 'pending',
      scheduler: 'default-scheduler',
      reason: 'Unschedulable',
      message: '0/1 nodes',
    });
    expect(answer.virtualNodes).toEqual([
      {
        name: 'virtual-kubelet',
        ready: true,
        taints: ['virtual-kubelet.io/burst-to-cci=cci:NoSchedule'],
        burst: 'yes',
        reasons: [],
      },
    ]);
    const tolerations = [{ key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists' }];
    expect(ask(pod({}, { tolerations })).virtualNodes).toMatchObject([{ taints: [] }]);
  });
});

describe('a pod that is nowhere yet is told of each pool', () => {
  it('that it does not run such a pod', () => {
    expect(ask(pod({}, { hostNetwork: true })).virtualNodes).toMatchObject([
      { burst: 'no', reasons: [{ code: 'host-namespace-unsupported', field: 'spec.hostNetwork' }] },
    ]);
  });

  it('that it has no room for it, as far as its pods may be seen', () => {
    const burstPods = [pod({ uid: 'uid-2' }, { nodeName: 'virtual-kubelet' })];
    expect(ask(pod({}), { burstPods }).virtualNodes).toMatchObject([{ burst: 'notNow', reasons: [{ code: 'room' }] }]);
    expect(ask(pod({})).virtualNodes).toMatchObject([{ burst: 'yes' }]);
  });
});

describe('claims and annotations', () => {
  const cci: Node = {
    metadata: { name: 'cci', annotations: { 'spillway.dev/backend': 'cci-v1', 'spillway.dev/sizing': 'cci' } },
  };
  const shown = poolsOfNodes([virtualNode, cci], supports).pools;
  const annotations = { team: 'a', 'yangtse.io/pod-with-eip': 'true', 'kubernetes.io/config.seen': 'x' };

  it('which annotations each virtual node passes on is told; of a bound pod, its own', () => {
    expect(ask(pod({ annotations }), { pools: shown }).annotations).toEqual([
      { node: 'virtual-kubelet', sent: ['team', 'yangtse.io/pod-with-eip'], kept: [] },
      { node: 'cci', sent: ['yangtse.io/pod-with-eip'], kept: ['team'] },
    ]);
    expect(ask(pod({ annotations }, { nodeName: 'cci' }), { pools: shown }).annotations).toHaveLength(1);
    expect(ask(pod({ annotations }, { nodeName: 'node-1' }), { pools: shown })).not.toHaveProperty('annotations');
  });

  it('what each claim is bound to, or waits for, is told', () => {
    const volumes = [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'more', persistentVolumeClaim: { claimName: 'none' } },
    ];
    const csi = { driver: 'nas.csi.everest.io', volumeHandle: 'sfs-1' };
    const claims = boundClaims({ data: { metadata: { name: 'pv-1' }, spec: { csi } } });
    const one = {
      ...claims,
      claim: (ns: string, name: string) => (name === 'data' ? claims.claim(ns, name) : undefined),
    };
    expect(ask(pod({}, { nodeName: 'cci', volumes }), { claims: one }).claims).toEqual([
      {
        claim: 'data',
        volume: 'data',
        state: 'bound',
        text: 'bound to the PersistentVolume "pv-1" (nas.csi.everest.io, sfs-1)',
      },
      {
        claim: 'none',
        volume: 'more',
        state: 'unbound',
        text: 'the PersistentVolumeClaim "none" does not exist. Create the claim.',
      },
    ]);
    expect(ask(pod({}), { claims: one })).not.toHaveProperty('claims');
  });
});

it('the size that is billed is told when it is fixed', () => {
  const annotations = {
    'virtual-kubelet.cci.io/burst-pod-cpu': '0.5u',
    'virtual-kubelet.cci.io/burst-pod-memory': '1Gi',
  };
  expect(ask(pod({ annotations })).size).toEqual({ cpu: '0.5u', memory: '1Gi' });
  expect(ask(pod({}))).not.toHaveProperty('size');
});

it('what the virtual node says is passed on, and so is why it could not be asked', () => {
  const explanation: Explanation = {
    uid: 'uid-1',
    phase: 'syncing',
    instance: 'running',
    refusals: [],
    failures: [],
    timeline: [],
  };
  expect(ask(pod({}), { explanation })).toMatchObject({ backend: explanation });
  expect(ask(pod({}), { explanation: 'not allowed' })).toMatchObject({ backendUnknown: 'not allowed' });
});

it('events come in the order of time, whichever API wrote them', () => {
  const metadata = { name: 'e' };
  const involvedObject = { kind: 'Pod' };
  const events = [
    { metadata, involvedObject, reason: 'Started', lastTimestamp: '2026-01-01T00:00:05Z', count: 2 },
    {
      metadata,
      involvedObject,
      reason: 'Scheduled',
      eventTime: '2026-01-01T00:00:01.000000Z',
      reportingComponent: 's',
    },
  ];
  expect(ask(pod({}), { events }).events).toMatchObject([
    { reason: 'Scheduled', from: 's', count: 1 },
    { reason: 'Started', type: 'Normal', count: 2 },
  ]);
});
