import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod, virtualNode } from '../../placement/testing/objects.ts';
import { noClaims } from '../testing/claims.ts';
import { specOf } from '../testing/sized-specs.ts';
import type { ClaimSources } from '../claims.ts';
import { type Fit, fitOf, type Pool, type PoolOffer, refusedByAll } from './fit.ts';
import { dropped, refused } from './fields.ts';
import type { Surroundings } from './hindrance.ts';
import { type Support, unknownSupport } from './support.ts';

const offer: PoolOffer = { support: unknownSupport, sizing: 'none' };

function fit(pod: Pod, around: Partial<Surroundings> = {}, claims: Partial<ClaimSources> = {}): Fit {
  return fitOf(pod, offer, { node: virtualNode(), claims: { ...noClaims, ...claims }, ...around });
}
const messageOf = (answer: Fit): string =>
  'reasons' in answer ? answer.reasons.map((each) => each.message).join() : '';

const term = (topologyKey: string): object => ({ topologyKey, labelSelector: { matchLabels: { app: 'web' } } });
const required = (kind: string, key: string): object => ({
  [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(key)] },
});

const spread = (topologyKey: string, whenUnsatisfiable: string): Pod =>
  testPod({ spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey, whenUnsatisfiable }] } });
const claim = (spec: PersistentVolumeClaim['spec'], phase: string) => (): PersistentVolumeClaim => ({
  metadata: { name: 'data', uid: 'u1' },
  ...(spec === undefined ? {} : { spec }),
  status: { phase },
});

const storageClass = (): StorageClass => ({ provisioner: 'x', volumeBindingMode: 'WaitForFirstConsumer' });
const volumeOn = (host: string | undefined) => (): PersistentVolume => ({
  spec: {
    claimRef: { uid: 'u1' },
    ...(host !== undefined && {
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [host] }] },
          ],
        },
      },
    }),
  },
});

const withDisk = (amount: string): Pod => {
  const resources = { limits: { 'ephemeral-storage': amount } };
  return testPod({ spec: { containers: [{ name: 'app', resources }] } });
};

describe('a pool takes a pod', () => {
  it('that tolerates none of its taints, because it is let in', () => {
    expect(fit(testPod())).toMatchObject({ kind: 'fits' });
  });

  it('only if its node is what the pod asks for', () => {
    expect(fit(testPod({ spec: { nodeSelector: { type: 'virtual-kubelet' } } }))).toMatchObject({ kind: 'fits' });
    expect(fit(testPod({ spec: { nodeSelector: { 'kubernetes.io/hostname': 'other' } } }))).toMatchObject({
      kind: 'selector',
    });
  });

  it('not while it is blocked, even if the pod tolerates everything', () => {
    const node = virtualNode('vk', {
      spec: { taints: [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }] },
    });
    expect(fit(testPod({ spec: { tolerations: [{ operator: 'Exists' }] } }), { node })).toMatchObject({
      kind: 'blocked',
    });
  });

  it('not when its node is cordoned or has a taint of somebody else', () => {
    expect(fit(testPod(), { node: virtualNode('vk', { spec: { unschedulable: true } }) })).toMatchObject({
      kind: 'taint',
    });
    const annotations = { 'spillway.dev/hibernation': '{}' };
    const cordoned = virtualNode('vk', { spec: { unschedulable: true } });
    const hibernating = { ...cordoned, metadata: { ...cordoned.metadata, annotations } };
    expect(fit(testPod(), { node: hibernating })).toMatchObject({ reasons: [{ remedy: 'Run: spillway resume' }] });
    const node = virtualNode('vk', { spec: { taints: [{ key: 'maintenance', effect: 'NoSchedule' }] } });
    expect(fit(testPod(), { node })).toMatchObject({ kind: 'taint' });
    expect(
      fit(testPod({ spec: { tolerations: [{ key: 'maintenance', operator: 'Exists' }] } }), { node }),
    ).toMatchObject({ kind: 'fits' });
  });

  it('not without room, and says so otherwise when the pool has nothing of it at all', () => {
    expect(fit(testPod(), { shortage: (amounts) => (amounts.has('cpu') ? 'cpu' : undefined) })).toMatchObject({
      kind: 'room',
      reasons: [{ code: 'room', message: 'the pool has too little cpu left for the pod' }],
    });
    expect(fit(testPod(), { shortage: () => 'ephemeral-storage' })).toMatchObject({
      kind: 'room',
      reasons: [{ message: 'the pool offers no ephemeral-storage' }],
    });
  });

  it('with its size, and what it does not get as it was written', () => {
    const volumes = [{ name: 'kube-api-access-x', projected: { sources: [] } }];
    const pod = testPod({ spec: { ...specOf('300m/1Gi'), volumes } });
    const support = { ...unknownSupport, accessToken: false };
    expect(fitOf(pod, { support, sizing: 'cci' })).toMatchObject({
      kind: 'fits',
      sized: { pod: { milliCpu: 500n } },
      adaptations: [{ code: 'NoAccessToken' }],
    });
    expect(fitOf(pod, { support: unknownSupport, sizing: 'cci' })).toMatchObject({ adaptations: [] });
  });

  it('not when only another pod would do: all reasons at once, with field and container, before it speaks of anything else', () => {
    const fields = { '*': dropped, hostNetwork: refused('host-namespace-unsupported') };
    const pod = testPod({ spec: { ...specOf('A 33/66Gi'), hostNetwork: true, nodeSelector: { a: 'b' } } });
    const around = { node: virtualNode(), shortage: () => 'cpu' };
    expect(fitOf(pod, { support: { ...unknownSupport, fields }, sizing: 'cci' }, around)).toMatchObject({
      kind: 'refused',
      reasons: [
        { code: 'host-namespace-unsupported', field: 'spec.hostNetwork' },
        { code: 'cpu-too-large', field: 'spec.containers' },
      ],
    });
    const legacy = fitOf(testPod({ spec: specOf('A 300m/1Gi') }), { ...offer, sizing: 'cci-legacy' });
    expect(legacy).toMatchObject({ reasons: [{ field: 'spec.containers[0].resources', container: 'A' }, {}] });
  });

  it('not with more disk than each of its pods has; what is less has no effect, and is told', () => {
    const support = { ...unknownSupport, diskBytes: 20n * 10n ** 9n };
    expect(fitOf(withDisk('20G'), { support, sizing: 'none' })).toMatchObject({ adaptations: [{ code: 'OwnDisk' }] });
    expect(fitOf(withDisk('21G'), { support, sizing: 'none' })).toMatchObject({
      kind: 'refused',
      reasons: [{ code: 'ephemeral-storage-too-large' }],
    });
    expect(fitOf(withDisk('21G'), offer)).toMatchObject({ kind: 'fits', adaptations: [] });
  });
});

describe('of several pools', () => {
  const pools: Record<string, Fit> = {
    takes: fit(testPod()),
    other: fit(testPod({ spec: { nodeSelector: { a: 'b' } } })),
    full: fit(testPod(), { shortage: () => 'cpu' }),
    refuses: fitOf(testPod({ spec: specOf('33/66Gi') }), { ...offer, sizing: 'cci' }),
  };
  const refusedBy = (...names: readonly string[]): readonly string[] => {
    const fits = names.map((name) => {
      const pool: Pool = { ...offer, name, nodeName: `vk-${name}`, taints: [] };
      return { pool, fit: pools[name] ?? fit(testPod()) };
    });
    return [...refusedByAll(fits).keys()];
  };

  it('one that may take the pod, now or later, is enough', () => {
    expect(refusedBy('refuses', 'takes')).toEqual([]);
    expect(refusedBy('refuses', 'full')).toEqual([]);
    expect(refusedBy()).toEqual([]);
  });

  it('those that the pod does not select have no say', () => {
    expect(refusedBy('refuses', 'other')).toEqual(['refuses']);
    expect(refusedBy('other')).toEqual([]);
  });
});

describe('rules about other pods', () => {
  it('keep pods apart on hostnames: always met, every instance is a machine of its own', () => {
    expect(fit(testPod({ spec: { affinity: required('podAntiAffinity', 'kubernetes.io/hostname') } }))).toMatchObject({
      kind: 'fits',
    });
  });

  it('bring pods together on one host: never met', () => {
    expect(fit(testPod({ spec: { affinity: required('podAffinity', 'kubernetes.io/hostname') } }))).toMatchObject({
      kind: 'topology',
    });
  });

  it.each(['podAffinity', 'podAntiAffinity'])('are about zones (%s): met where the node has a zone', (kind) => {
    const pod = testPod({ spec: { affinity: required(kind, 'topology.kubernetes.io/zone') } });
    expect(fit(pod)).toMatchObject({ kind: 'topology' });
    const node = virtualNode('vk', { labels: { 'topology.kubernetes.io/zone': 'z1' } });
    expect(fit(pod, { node })).toMatchObject({ kind: 'fits' });
  });

  it('spread pods: as the affinity, and only if they must', () => {
    expect(fit(spread('kubernetes.io/hostname', 'DoNotSchedule'))).toMatchObject({ kind: 'fits' });
    expect(fit(spread('topology.kubernetes.io/zone', 'DoNotSchedule'))).toMatchObject({ kind: 'topology' });
    expect(fit(spread('topology.kubernetes.io/zone', 'ScheduleAnyway'))).toMatchObject({ kind: 'fits' });
  });
});

const claimObjection: Support['claimObjection'] = ({ namespace, name }, state) =>
  name === 'data' ? { code: 'claim-not-mapped', detail: `${namespace} ${state?.kind}` } : undefined;
const planned = (): PersistentVolumeClaim => ({ metadata: { name: 'data' }, spec: { storageClassName: 'fast' } });

const only = (pod: Pod, ...claims: readonly string[]): Fit =>
  fitOf(pod, { ...offer, support: { ...unknownSupport, claims: new Set(claims) } });

describe('a pod with volume claims', () => {
  const pod = testPod({ spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } });
  it('waits for a claim that is missing or not bound yet', () => {
    expect(fit(pod)).toMatchObject({
      kind: 'claim',
      reasons: [{ field: 'spec.volumes[0]', message: 'the PersistentVolumeClaim "data" does not exist' }],
    });
    const pending = claim({ storageClassName: 'fast' }, 'Pending');
    expect(messageOf(fit(pod, {}, { claim: pending }))).toContain('not bound to a volume yet');
  });

  it('is refused with a remedy when the volume would be made where the pod runs', () => {
    const found = fit(pod, {}, { claim: claim({ storageClassName: 'fast' }, 'Pending'), storageClass });
    expect(messageOf(found)).toContain('WaitForFirstConsumer');
    expect(found).toMatchObject({ reasons: [{ remedy: expect.stringContaining('Immediate') as unknown }] });
  });

  it('is refused by a pool that cannot mount them', () => {
    const picky: PoolOffer = { ...offer, support: { ...unknownSupport, claimObjection } };
    const refusedWith = (claims?: ClaimSources): Fit => fitOf(pod, picky, { node: virtualNode(), claims });
    const reasons = [
      { code: 'claim-not-mapped', field: 'spec.volumes[0]', message: expect.stringMatching(/: default undefined$/) },
    ];
    expect(refusedWith()).toMatchObject({ kind: 'refused', reasons });
    expect(messageOf(refusedWith(noClaims))).toMatch(/: default unbound$/);
  });

  it('is refused by a pool that mounts only others, whatever is known of them', () => {
    expect(only(pod, 'default/other', 'other/data')).toMatchObject({
      kind: 'refused',
      reasons: [{ code: 'claim-not-mapped', message: expect.stringMatching(/: default\/data$/) }],
    });
    expect(only(pod, 'default/data')).toMatchObject({ kind: 'fits' });
  });

  it('is not kept away by a claim that is still to be created', () => {
    expect(fit(pod, {}, { claim: planned })).toMatchObject({ kind: 'fits' });
    expect(messageOf(fit(pod, {}, { claim: planned, storageClass }))).toContain('WaitForFirstConsumer');
  });

  it('goes where its volume can be reached', () => {
    const bound = claim({ volumeName: 'pv-1' }, 'Bound');
    expect(fit(pod, {}, { claim: bound, volume: volumeOn(undefined) })).toMatchObject({ kind: 'fits' });
    expect(fit(pod, {}, { claim: bound, volume: volumeOn('vk') })).toMatchObject({ kind: 'fits' });
    expect(fit(pod, {}, { claim: bound, volume: volumeOn('node-1') })).toMatchObject({ kind: 'claim' });
  });

  it('is looked up by the name of the pod for generic ephemeral volumes', () => {
    const ephemeral = testPod({ uid: '9', spec: { volumes: [{ name: 'scratch', ephemeral: {} }] } });
    expect(messageOf(fit(ephemeral))).toContain('"web-9-scratch"');
  });
});
