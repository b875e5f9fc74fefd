import type { Node } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { burstTaint, preferTaint } from '../podspec/contract.ts';
import { newNode, type NodeFacts, nodeStatus } from './node-object.ts';
import { nodeMetadataPatch, nodeStatusPatch } from './node-patch.ts';

const facts: NodeFacts = {
  name: 'virtual-kubelet',
  clusterId: 'c1',
  labels: { 'topology.kubernetes.io/zone': 'z1' },
  taints: [burstTaint, preferTaint],
  sizing: 'cci',
  backend: 'simulated',
  address: '10.0.0.1',
  kubeletPort: 10_250,
  serverVersion: 'v1.36.3',
  ownVersion: '0.1.0',
  runtimeVersion: 'containerd://1.6.20',
  architecture: 'amd64',
  capacity: { cpu: '64', memory: '256Gi', pods: '200' },
  health: { kind: 'reachable' },
  preparation: { kind: 'prepared' },
  usage: { kind: 'measured' },
};

const now = '2026-01-01T00:00:00Z';

const preparedCondition = (preparation: NodeFacts['preparation']): object | undefined =>
  nodeStatus({ ...facts, preparation }).conditions?.find(({ type }) => type === 'BackendPrepared');

/** As the cluster has it after registration and the first status. */
function registered(): Node {
  const node = newNode(facts);
  const stamp = { lastHeartbeatTime: now, lastTransitionTime: now };
  const status = nodeStatus(facts);
  return {
    ...node,
    metadata: { ...node.metadata, uid: 'u1', resourceVersion: '7' },
    status: { ...status, conditions: (status.conditions ?? []).map((condition) => ({ ...condition, ...stamp })) },
  };
}

const saying = (claims: NodeFacts['claims']): string | undefined =>
  newNode({ ...facts, claims }).metadata?.annotations?.['spillway.dev/claims'];

describe('the virtual node', () => {
  it('says in which sizes its pods can be had, also after a change of the configuration', () => {
    const live = registered();
    expect(live.metadata?.annotations).toMatchObject({ 'spillway.dev/sizing': 'cci' });
    expect(nodeMetadataPatch(live, facts)).toBeUndefined();
    expect(nodeMetadataPatch(live, { ...facts, sizing: 'none' })).toMatchObject({
      body: { metadata: { annotations: { 'spillway.dev/sizing': 'none' } } },
    });
  });

  it('says which claims its backend mounts, where only some are', () => {
    expect(saying(undefined)).toBeUndefined();
    expect(saying(new Set())).toBe('');
    expect(saying(new Set(['b/data', 'a/data']))).toBe('a/data,b/data');
    expect(saying(new Set(Array.from({ length: 10_000 }, (_, index) => `shop/data-${index}`)))).toBe('*');
  });

  it('has the taints that are configured, and loses those that are not any more', () => {
    const live = registered();
    const team = { key: 'example.com/team', value: 'a', effect: 'NoSchedule' } as const;
    const foreign = { key: 'example.com/foreign', effect: 'NoSchedule' };
    const patched = (node: Node, taints: NodeFacts['taints']): unknown =>
      nodeMetadataPatch(node, { ...facts, taints })?.body;
    expect(newNode({ ...facts, taints: [] }).spec?.taints).toEqual([]);
    const tainted = { ...live, spec: { ...live.spec, taints: [...(live.spec?.taints ?? []), foreign] } };
    expect(patched(tainted, [])).toMatchObject({ spec: { taints: [foreign] } });
    expect(patched(tainted, [team])).toMatchObject({ spec: { taints: [foreign, team] } });
    const annotations = { ...live.metadata?.annotations, 'spillway.dev/node-taints': team.key };
    const before = { ...live, metadata: { ...live.metadata, annotations }, spec: { taints: [team] } };
    expect(patched(before, [burstTaint])).toMatchObject({ spec: { taints: [burstTaint] } });
  });

  it('closes itself without taints, too', () => {
    const blocked = { reason: 'SoldOut', message: 'sold out' };
    expect(newNode({ ...facts, taints: [], blocked }).spec?.taints).toMatchObject([
      { key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' },
    ]);
  });

  it('has the labels, taints and provider id by which Kubernetes and people know it', () => {
    expect(newNode(facts)).toMatchObject({
      metadata: {
        name: 'virtual-kubelet',
        labels: {
          type: 'virtual-kubelet',
          'kubernetes.io/hostname': 'virtual-kubelet',
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'topology.kubernetes.io/zone': 'z1',
          'bursting.cci.io/node-type': 'virtual-kubelet',
          'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
        },
      },
      spec: {
        providerID: 'spillway://c1/virtual-kubelet',
        taints: [
          { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' },
          { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' },
        ],
      },
    });
  });

  it.each([
    ['v1.36.3', 'v1.36.3-spillway.0.1.0'],
    ['v1.28.15-r10', 'v1.28.15-spillway.0.1.0'],
    ['v1.30.4+k3s1', 'v1.30.4-spillway.0.1.0'],
  ])('of a server %s says kubelet %s', (serverVersion, kubeletVersion) => {
    expect(nodeStatus({ ...facts, serverVersion }).nodeInfo?.kubeletVersion).toBe(kubeletVersion);
  });

  it.each([
    ['an unreachable backend', { health: { kind: 'unreachable', message: 'no answer within 5 s' } }],
    [
      'a backend that is not prepared',
      { preparation: { kind: 'unprepared', reason: 'CCINetworkPending', message: 'the network of CCI is Pending' } },
    ],
    ['a sold-out backend', { blocked: { reason: 'SoldOut', message: 'no room' } }],
  ] as const)('with %s takes no new pods, and stays Ready', (_, change) => {
    const changed: NodeFacts = { ...facts, ...change };
    expect(newNode(changed).spec?.taints).toContainEqual({ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' });
    const ready = nodeStatus(changed).conditions?.find(({ type }) => type === 'Ready');
    expect(ready?.status).toBe('True');
  });

  it('whose backend lacks what pods need says what it is', () => {
    const unprepared = { reason: 'CCINetworkPending', message: 'the network of CCI is Pending' };
    expect(preparedCondition({ kind: 'unprepared', ...unprepared })).toMatchObject({ status: 'False', ...unprepared });
    expect(preparedCondition({ kind: 'unknown' })).toMatchObject({ status: 'Unknown' });
    expect(preparedCondition({ kind: 'prepared' })).toMatchObject({ status: 'True' });
  });

  it('says in a condition of its own that it is not known what its pods use, and takes new pods all the same', () => {
    const conditionOf = (usage: NodeFacts['usage']): object | undefined =>
      nodeStatus({ ...facts, usage }).conditions?.find(({ type }) => type === 'MetricsAvailable');
    const why = { reason: 'NoMetricsAPI', message: 'CCI 2.0 has no metrics API' };
    expect(conditionOf({ kind: 'unmeasured', ...why })).toMatchObject({ status: 'False', ...why });
    expect(conditionOf({ kind: 'unknown' })).toMatchObject({ status: 'Unknown' });
    expect(conditionOf({ kind: 'measured' })).toMatchObject({ status: 'True' });
    const unmeasured: NodeFacts = { ...facts, usage: { kind: 'unmeasured', ...why } };
    expect(newNode(unmeasured).spec?.taints).toEqual([burstTaint, preferTaint]);
    const ready = nodeStatus(unmeasured).conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({ status: 'True' });
  });

  it('says whether its heartbeat is renewed, and nothing of it (any more) where none is asked for', () => {
    const conditionOf = (heartbeat: NodeFacts['heartbeat']): object | undefined =>
      nodeStatus({ ...facts, heartbeat }).conditions?.find(({ type }) => type === 'HeartbeatRenewed');
    expect(conditionOf({ kind: 'late', message: 'no route' })).toMatchObject({ status: 'False', message: 'no route' });
    expect(conditionOf({ kind: 'unknown' })).toMatchObject({ status: 'Unknown' });
    expect(conditionOf({ kind: 'renewed' })).toMatchObject({ status: 'True' });
    expect(conditionOf(undefined)).toBeUndefined();
    const live = { ...newNode(facts), status: nodeStatus({ ...facts, heartbeat: { kind: 'renewed' } }) };
    expect(nodeStatusPatch(live, facts, { now: '', heartbeat: false })?.body).toMatchObject({
      status: { conditions: [{ type: 'HeartbeatRenewed', $patch: 'delete' }] },
    });
  });

  it('with an unreachable backend says so', () => {
    const conditions = nodeStatus({
      ...facts,
      health: { kind: 'unreachable', message: 'no answer within 5 s' },
    }).conditions;
    expect(conditions).toContainEqual({
      type: 'BackendReachable',
      status: 'False',
      reason: 'BackendUnreachable',
      message: 'no answer within 5 s',
    });
  });
});

describe('labels and taints', () => {
  it('that are right are left alone', () => {
    expect(nodeMetadataPatch(registered(), facts)).toBeUndefined();
  });

  it('that somebody edited away come back, for exactly the version that was looked at', () => {
    const node = registered();
    const edited: Node = {
      ...node,
      metadata: { ...node.metadata, labels: { type: 'real' } },
      spec: { ...node.spec, taints: [{ key: 'example.com/mine', effect: 'NoExecute' }] },
    };
    const patch = nodeMetadataPatch(edited, facts);
    expect(patch).toMatchObject({
      type: 'merge',
      body: { metadata: { resourceVersion: '7', labels: { type: 'virtual-kubelet' } } },
    });
    expect(JSON.stringify(patch)).toContain('virtual-kubelet.io/burst-to-cci');
  });

  it('of others stay', () => {
    const node = registered();
    const foreign = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' };
    const withForeign: Node = {
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata?.labels, 'example.com/rack': 'r1' } },
      spec: { ...node.spec, taints: [foreign, ...(node.spec?.taints ?? [])] },
    };
    expect(nodeMetadataPatch(withForeign, facts)).toBeUndefined();
    const patch = nodeMetadataPatch(withForeign, { ...facts, blocked: { reason: 'SoldOut', message: '' } });
    expect(patch).toMatchObject({ body: { spec: { taints: expect.arrayContaining([foreign]) as unknown } } });
    expect(JSON.stringify(patch)).not.toContain('example.com/rack');
  });

  it('that are configured no more are taken away', () => {
    const { labels: _, ...rest } = facts;
    expect(nodeMetadataPatch(registered(), { ...rest, labels: {} })).toMatchObject({
      body: { metadata: { labels: { 'topology.kubernetes.io/zone': null } } },
    });
  });

  it('leave a provider id that somebody set, because it cannot be changed', () => {
    const node = registered();
    expect(nodeMetadataPatch({ ...node, spec: { ...node.spec, providerID: 'aws://i-1' } }, facts)).toBeUndefined();
  });

  it('take the taint back when the pool opens again', () => {
    const closed: NodeFacts = { ...facts, blocked: { reason: 'SoldOut', message: '' } };
    const node = { ...registered(), spec: newNode(closed).spec ?? {} };
    expect(nodeMetadataPatch(node, closed)).toBeUndefined();
    expect(JSON.stringify(nodeMetadataPatch(node, facts))).not.toContain('no-schedule');
  });
});

describe('the status of the node', () => {
  it('is not written when nothing has changed, and stamped with a heartbeat when it is time', () => {
    const later = '2026-01-01T00:01:00Z';
    expect(nodeStatusPatch(registered(), facts, { now: later, heartbeat: false })).toBeUndefined();
    const patch = nodeStatusPatch(registered(), facts, { now: later, heartbeat: true });
    expect(patch).toMatchObject({
      type: 'strategic',
      body: { status: { conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready' })]) as unknown } },
    });
    expect(JSON.stringify(patch)).toContain(`"lastHeartbeatTime":"${later}","lastTransitionTime":"${now}"`);
    expect(JSON.stringify(patch)).not.toContain('capacity');
  });

  it('has only what changed', () => {
    const changed: NodeFacts = { ...facts, capacity: { ...facts.capacity, cpu: '128' } };
    expect(nodeStatusPatch(registered(), changed, { now, heartbeat: false })).toEqual({
      type: 'strategic',
      body: { metadata: { uid: 'u1' }, status: { capacity: { cpu: '128' }, allocatable: { cpu: '128' } } },
    });
  });

  it('takes back what the node controller did when the lease was late', () => {
    const node = registered();
    const conditions = (node.status?.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown' } : condition,
    );
    const patch = nodeStatusPatch({ ...node, status: { ...node.status, conditions } }, facts, {
      now,
      heartbeat: false,
    });
    expect(patch).toMatchObject({
      body: { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }] } },
    });
  });

  it('leaves conditions and resources of others', () => {
    const node = registered();
    const foreign: Node = {
      ...node,
      status: {
        ...node.status,
        conditions: [...(node.status?.conditions ?? []), { type: 'Foreign', status: 'True' }],
        capacity: { ...node.status?.capacity, 'example.com/gpu': '4' },
      },
    };
    expect(nodeStatusPatch(foreign, facts, { now, heartbeat: false })).toBeUndefined();
    expect(JSON.stringify(nodeStatusPatch(foreign, facts, { now, heartbeat: true }))).not.toContain('Foreign');
  });
});
