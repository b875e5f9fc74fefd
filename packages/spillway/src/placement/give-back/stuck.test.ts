import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { type Stuck, stuckOf } from './stuck.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };

function waiting(burst: string | undefined, reason: string, more: Partial<NonNullable<Pod['metadata']>> = {}): Pod {
  return testPod({
    metadata: {
      labels: burst === undefined ? {} : { 'virtual-kubelet.io/burst-to-cci': burst },
      ownerReferences: [owner],
      ...more,
    },
    spec: { nodeName: 'vk' },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason } } },
      ],
    },
  });
}

const causeOf = (pod: Pod): Stuck['cause'] | undefined => stuckOf(pod)?.cause;

describe('a pod for which its pool has no room', () => {
  it.each(['auto', 'localPrefer'])('may go elsewhere with %s', (burst) => {
    expect(causeOf(waiting(burst, 'SoldOut'))).toBe('noRoom');
    expect(causeOf(waiting(burst, 'QuotaExceeded'))).toBe('noRoom');
  });

  it('waits when it may not run elsewhere, or nobody would make another', () => {
    expect(causeOf(waiting('enforce', 'SoldOut'))).toBeUndefined();
    expect(causeOf(waiting('auto', 'SoldOut', { ownerReferences: [] }))).toBeUndefined();
  });

  it('is left alone for any other trouble, when it goes already, or when it has run', () => {
    expect(causeOf(waiting('auto', 'ImagePullBackOff'))).toBeUndefined();
    expect(causeOf(waiting('auto', 'SoldOut', { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toBeUndefined();
    const pod = waiting('auto', 'SoldOut');
    expect(causeOf({ ...pod, status: { ...pod.status, phase: 'Running' } })).toBeUndefined();
  });
});

describe('a pod that its pool does not run', () => {
  const reason = 'NotSupportedByPool';

  it.each(['auto', 'localPrefer', 'off', undefined])('goes elsewhere with the label %s', (burst) => {
    expect(causeOf(waiting(burst, reason))).toBe('refused');
  });

  it('stays when it may not run elsewhere, or nobody would make another, or that would come back', () => {
    expect(causeOf(waiting('enforce', reason))).toBeUndefined();
    expect(causeOf(waiting('auto', reason, { ownerReferences: [] }))).toBeUndefined();
    expect(causeOf(waiting('auto', reason, { ownerReferences: [{ ...owner, kind: 'DaemonSet' }] }))).toBeUndefined();
  });

  it('stays when it was told that it does', () => {
    const annotations = { 'spillway.dev/not-burstable': 'told' };
    expect(causeOf(waiting('auto', reason, { annotations }))).toBeUndefined();
  });
});
