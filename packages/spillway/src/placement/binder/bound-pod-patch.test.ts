import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { boundPodPatch } from './bound-pod-patch.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true };
const running = (more: Partial<NonNullable<Pod['metadata']>> = {}, phase = 'Running'): Pod =>
  testPod({ metadata: { ownerReferences: [owner], ...more }, spec: { nodeName: 'vk' }, status: { phase } });
const cost = 'controller.kubernetes.io/pod-deletion-cost';

describe('a bound pod', () => {
  it('of a ReplicaSet gets the deletion cost of its side when it runs', () => {
    expect(boundPodPatch(running(), 'cci', undefined)).toMatchObject({ metadata: { annotations: { [cost]: '-100' } } });
    expect(boundPodPatch(running(), 'cci', { cci: { scaleDownPriority: 7 } })).toMatchObject({
      metadata: { resourceVersion: '7', annotations: { [cost]: '-7' } },
    });
    expect(boundPodPatch(running(), 'local', { local: { scaleDownPriority: 10 } })).toMatchObject({
      metadata: { annotations: { [cost]: '-10' } },
    });
  });

  it.each([
    ['one whose user has set a cost', running({ annotations: { [cost]: '0' } })],
    ['one that does not run yet', running({}, 'Pending')],
    ['one that has ended', running({}, 'Succeeded')],
    ['one that is being deleted', running({ deletionTimestamp: '2026-01-01T00:00:00Z' })],
    ['one that no ReplicaSet owns', running({ ownerReferences: [] })],
  ])('is left alone: %s', (_, pod) => {
    expect(boundPodPatch(pod, 'cci', undefined)).toBeUndefined();
  });

  it('that was let in gets the tolerations that it lacks, and keeps its own', () => {
    const own = { key: 'own', operator: 'Exists' };
    const annotations = { 'spillway.dev/burst-policy': 'localPrefer (label)' };
    const pod = testPod({ metadata: { annotations }, spec: { nodeName: 'vk', tolerations: [own] } });
    expect(boundPodPatch(pod, 'cci', undefined)).toMatchObject({
      spec: {
        tolerations: [
          own,
          { key: 'virtual-kubelet.io/burst-to-cci', operator: 'Exists', effect: 'NoSchedule' },
          { key: 'virtual-kubelet.io/huawei', operator: 'Exists', effect: 'PreferNoSchedule' },
        ],
      },
    });
    const all = testPod({ metadata: { annotations }, spec: { nodeName: 'vk', tolerations: [{ operator: 'Exists' }] } });
    expect(boundPodPatch(all, 'cci', undefined)).toBeUndefined();
  });
});
