import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod, virtualNode } from '../testing/objects.ts';
import { footprint } from './capacity.ts';
import type { ClaimSources } from './claims.ts';
import { misfitOf, type PoolView } from './fits.ts';
import type { Misfit } from './misfit.ts';

const nothing: ClaimSources = { claim: () => undefined, volume: () => undefined, storageClass: () => undefined };

function misfit(pod: Pod, pool: Partial<PoolView> = {}, claims: Partial<ClaimSources> = {}): Misfit | undefined {
  const view: PoolView = { node: virtualNode(), review: () => [], shortage: () => undefined, ...pool };
  return misfitOf(pod, footprint(pod), view, { ...nothing, ...claims });
}

const term = (topologyKey: string): object => ({ topologyKey, labelSelector: { matchLabels: { app: 'web' } } });
const required = (kind: string, key: string): object => ({
  [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term(key)] },
});

const spread = (topologyKey: string, whenUnsatisfiable: string): Pod =>
  testPod({ spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey, whenUnsatisfiable }] } });
const claim = (spec: PersistentVolumeClaim['spec'], phase: string) => (): PersistentVolumeClaim => ({
  metadata: { name: 'data' },
  ...(spec === undefined ? {} : { spec }),
  status: { phase },
});

const storageClass = (): StorageClass => ({ provisioner: 'x', volumeBindingMode: 'WaitForFirstConsumer' });
const volumeOn = (host: string | undefined) => (): PersistentVolume => ({
  spec:
    host === undefined
      ? {}
      : {
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [host] }] },
              ],
            },
          },
        },
});

describe('a pool takes a pod', () => {
  it('that tolerates none of its taints, because it is let in', () => {
    expect(misfit(testPod())).toBeUndefined();
  });

  it('only if its node is what the pod asks for', () => {
    expect(misfit(testPod({ spec: { nodeSelector: { type: 'virtual-kubelet' } } }))).toBeUndefined();
    expect(misfit(testPod({ spec: { nodeSelector: { 'kubernetes.io/hostname': 'other' } } }))).toMatchObject({
      kind: 'selector',
    });
  });

  it('not while it is blocked, even if the pod tolerates everything', () => {
    const node = virtualNode('vk', {
      spec: { taints: [{ key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' }] },
    });
    expect(misfit(testPod({ spec: { tolerations: [{ operator: 'Exists' }] } }), { node })).toMatchObject({
      kind: 'blocked',
    });
  });

  it('not when its node is cordoned or has a taint of somebody else', () => {
    expect(misfit(testPod(), { node: virtualNode('vk', { spec: { unschedulable: true } }) })).toMatchObject({
      kind: 'taint',
    });
    const node = virtualNode('vk', { spec: { taints: [{ key: 'maintenance', effect: 'NoSchedule' }] } });
    expect(misfit(testPod(), { node })).toMatchObject({ kind: 'taint' });
    expect(
      misfit(testPod({ spec: { tolerations: [{ key: 'maintenance', operator: 'Exists' }] } }), { node }),
    ).toBeUndefined();
  });

  it('not without room', () => {
    expect(misfit(testPod(), { shortage: (amounts) => (amounts.has('cpu') ? 'cpu' : undefined) })).toMatchObject({
      kind: 'room',
      message: 'it has too little cpu left for the pod',
    });
  });

  it('not when its backend refuses it, and says so before it speaks of room', () => {
    const refusal = { code: 'gpu', field: 'spec.containers[0]', message: 'no GPUs', remedy: 'Leave it out' };
    expect(misfit(testPod(), { review: () => [refusal], shortage: () => 'cpu' })).toEqual({
      kind: 'refused',
      code: 'gpu',
      message: 'spec.containers[0]: no GPUs',
      remedy: 'Leave it out',
    });
  });
});

describe('rules about other pods', () => {
  it('keep pods apart on hostnames: always met, every instance is a machine of its own', () => {
    expect(
      misfit(testPod({ spec: { affinity: required('podAntiAffinity', 'kubernetes.io/hostname') } })),
    ).toBeUndefined();
  });

  it('bring pods together on one host: never met', () => {
    expect(misfit(testPod({ spec: { affinity: required('podAffinity', 'kubernetes.io/hostname') } }))).toMatchObject({
      kind: 'topology',
    });
  });

  it.each(['podAffinity', 'podAntiAffinity'])('are about zones (%s): met where the node has a zone', (kind) => {
    const pod = testPod({ spec: { affinity: required(kind, 'topology.kubernetes.io/zone') } });
    expect(misfit(pod)).toMatchObject({ kind: 'topology' });
    const node = virtualNode('vk', { labels: { 'topology.kubernetes.io/zone': 'z1' } });
    expect(misfit(pod, { node })).toBeUndefined();
  });

  it('spread pods: as the affinity, and only if they must', () => {
    expect(misfit(spread('kubernetes.io/hostname', 'DoNotSchedule'))).toBeUndefined();
    expect(misfit(spread('topology.kubernetes.io/zone', 'DoNotSchedule'))).toMatchObject({ kind: 'topology' });
    expect(misfit(spread('topology.kubernetes.io/zone', 'ScheduleAnyway'))).toBeUndefined();
  });
});

describe('a pod with volume claims', () => {
  const pod = testPod({ spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } });
  it('waits for a claim that is missing or not bound yet', () => {
    expect(misfit(pod)).toMatchObject({ kind: 'claim', message: 'there is no PersistentVolumeClaim "data"' });
    const pending = claim({ storageClassName: 'fast' }, 'Pending');
    expect(misfit(pod, {}, { claim: pending })?.message).toContain('not bound to a volume yet');
  });

  it('is refused with a remedy when the volume would be made where the pod runs', () => {
    const found = misfit(pod, {}, { claim: claim({ storageClassName: 'fast' }, 'Pending'), storageClass });
    expect(found?.message).toContain('WaitForFirstConsumer');
    expect(found?.remedy).toContain('Immediate');
  });

  it('goes where its volume can be reached', () => {
    const bound = claim({ volumeName: 'pv-1' }, 'Bound');
    expect(misfit(pod, {}, { claim: bound, volume: volumeOn(undefined) })).toBeUndefined();
    expect(misfit(pod, {}, { claim: bound, volume: volumeOn('vk') })).toBeUndefined();
    expect(misfit(pod, {}, { claim: bound, volume: volumeOn('node-1') })).toMatchObject({ kind: 'claim' });
  });

  it('is looked up by the name of the pod for generic ephemeral volumes', () => {
    const ephemeral = testPod({ uid: '9', spec: { volumes: [{ name: 'scratch', ephemeral: {} }] } });
    expect(misfit(ephemeral)?.message).toContain('"web-9-scratch"');
  });

  it('is refused when it claims devices', () => {
    expect(misfit(testPod({ spec: { resourceClaims: [{ name: 'gpu' }] } }))).toMatchObject({ kind: 'claim' });
  });
});
