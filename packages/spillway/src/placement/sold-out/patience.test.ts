import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { stuckReason } from './patience.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };

function refused(burst: string, reason: string, more: Partial<NonNullable<Pod['metadata']>> = {}): Pod {
  return testPod({
    metadata: { labels: { 'virtual-kubelet.io/burst-to-cci': burst }, ownerReferences: [owner], ...more },
    spec: { nodeName: 'vk' },
    status: {
      phase: 'Pending',
      containerStatuses: [
        { name: 'app', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason } } },
      ],
    },
  });
}

describe('a pod for which its pool has no room', () => {
  it.each(['auto', 'localPrefer'])('may go elsewhere with %s', (burst) => {
    expect(stuckReason(refused(burst, 'SoldOut'))).toBe('SoldOut');
    expect(stuckReason(refused(burst, 'QuotaExceeded'))).toBe('QuotaExceeded');
  });

  it('waits when it may not run elsewhere, or nobody would make another', () => {
    expect(stuckReason(refused('enforce', 'SoldOut'))).toBeUndefined();
    expect(stuckReason(refused('auto', 'SoldOut', { ownerReferences: [] }))).toBeUndefined();
  });

  it('is left alone for any other trouble, when it goes already, or when it has run', () => {
    expect(stuckReason(refused('auto', 'ImagePullBackOff'))).toBeUndefined();
    expect(stuckReason(refused('auto', 'SoldOut', { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toBeUndefined();
    const pod = refused('auto', 'SoldOut');
    expect(stuckReason({ ...pod, status: { ...pod.status, phase: 'Running' } })).toBeUndefined();
  });
});
