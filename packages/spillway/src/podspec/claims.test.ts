import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { type ClaimSources, type ClaimState, claimStateOf, claimVolumes } from './claims.ts';

const bound: PersistentVolumeClaim = {
  metadata: { name: 'data', namespace: 'shop', uid: 'u1' },
  spec: { volumeName: 'pv', storageClassName: 'fast' },
  status: { phase: 'Bound' },
};
const pv: PersistentVolume = {
  metadata: { name: 'pv' },
  spec: { claimRef: { namespace: 'shop', name: 'data', uid: 'u1' } },
};

interface Known {
  readonly claim?: PersistentVolumeClaim;
  readonly volume?: PersistentVolume;
  /** Absent: classes may not be read. */
  readonly storageClass?: StorageClass | 'missing';
}

function stateOf({ claim, volume, storageClass }: Known): ClaimState {
  const sources: ClaimSources = {
    claim: () => claim,
    volume: (name) => (volume?.metadata?.name === name ? volume : undefined),
    ...(storageClass && { storageClass: () => (storageClass === 'missing' ? undefined : storageClass) }),
  };
  return claimStateOf('shop', 'data', sources);
}

describe('a claim', () => {
  test('is bound when it and its volume name each other', () => {
    expect(stateOf({ claim: bound, volume: pv })).toEqual({
      kind: 'bound',
      namespace: 'shop',
      name: 'data',
      claim: bound,
      volume: pv,
    });
  });

  const { volumeName: _, ...withoutVolume } = bound.spec ?? {};
  const pending: PersistentVolumeClaim = { ...bound, spec: withoutVolume, status: { phase: 'Pending' } };
  const annotations = { 'volume.kubernetes.io/selected-node': 'virtual' };

  test('that is still to be created is expected, with what will make its volume', () => {
    const { metadata: _metadata, status: _status, ...planned } = pending;
    const storageClass: StorageClass = { metadata: { name: 'fast' }, provisioner: 'p' };
    expect(stateOf({ claim: planned, storageClass })).toEqual({
      kind: 'expected',
      namespace: 'shop',
      name: 'data',
      storageClass,
    });
  });

  test.each<[string, Known, RegExp]>([
    ['does not exist', {}, /"data" does not exist$/],
    ['is not bound yet', { claim: pending, volume: pv }, /"data" is not bound to a volume yet$/],
    [
      'is of a class that is not there',
      { claim: pending, storageClass: 'missing' },
      /yet: there is no storage class "fast"$/,
    ],
    ['is about to be bound', { claim: { ...bound, status: { phase: 'Pending' } }, volume: pv }, /not bound .* yet$/],
    ['has lost its volume', { claim: { ...bound, status: { phase: 'Lost' } } }, /has lost its volume$/],
    ['has a volume that is gone', { claim: bound }, /"pv" of the claim "data" does not exist$/],
    [
      'has a volume that is bound elsewhere',
      { claim: bound, volume: { ...pv, spec: { claimRef: { namespace: 'a', name: 'b', uid: 'u2' } } } },
      /"pv" of the claim "data" is bound to the claim "a\/b"$/,
    ],
    [
      'asks for a volume that is bound elsewhere',
      {
        claim: { ...bound, status: { phase: 'Pending' } },
        volume: { ...pv, spec: { claimRef: { namespace: 'a', name: 'b', uid: 'u2' } } },
      },
      /bound to the claim "a\/b"$/,
    ],
    ['has a volume that knows nothing of it', { claim: bound, volume: { ...pv, spec: {} } }, /bound to no claim$/],
    [
      'was made anew, and its volume is of the one before',
      { claim: { ...bound, metadata: { ...bound.metadata, uid: 'u2' } }, volume: pv },
      /bound to the claim "shop\/data"$/,
    ],
    [
      'waits for a place',
      {
        claim: pending,
        storageClass: { metadata: { name: 'fast' }, provisioner: 'p', volumeBindingMode: 'WaitForFirstConsumer' },
      },
      /WaitForFirstConsumer of the storage class "fast"\), which cannot be a virtual node$/,
    ],
    [
      'waits for a place, as the scheduler has noted on it',
      { claim: { ...pending, metadata: { ...pending.metadata, annotations } } },
      /WaitForFirstConsumer/,
    ],
  ])('that %s is not', (_name, known, message) => {
    const state = stateOf(known);
    expect(state).toMatchObject({ kind: 'unbound', namespace: 'shop', name: 'data' });
    if (state.kind === 'unbound') expect(state.message).toMatch(message);
    if (state.kind === 'unbound') expect(state.remedy).toMatch(/^[A-Z].+\w\.?$/);
  });
});

test('a pod uses the claims of its volumes, and those that are made for it once it is there', () => {
  const spec = {
    containers: [],
    volumes: [
      { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'b', emptyDir: {} },
      { name: 'c', ephemeral: {} },
    ],
  };
  const template: Pod = { metadata: { name: 'web' }, spec };
  const data = { name: 'data', volume: 'a', field: 'spec.volumes[0]', ephemeral: false };
  expect(claimVolumes(template)).toEqual([data]);
  expect(claimVolumes({ metadata: { name: 'web', uid: 'u' }, spec })).toEqual([
    data,
    { name: 'web-c', volume: 'c', field: 'spec.volumes[2]', ephemeral: true },
  ]);
});
