import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import type { ScheduleProfileSpec } from '../rules/schedule-profile.ts';
import { bindingOf } from './binding.ts';

const policy = { value: 'localPrefer', source: 'label virtual-kubelet.io/burst-to-cci' } as const;

describe('a binding', () => {
  it('is for exactly the pod that was looked at, and says why it may burst and that it goes first', () => {
    expect(bindingOf(testPod({ uid: 'u' }), { nodeName: 'vk', policy })).toEqual({
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: {
        namespace: 'default',
        name: 'web-u',
        uid: 'u',
        resourceVersion: '7',
        annotations: {
          'controller.kubernetes.io/pod-deletion-cost': '-100',
          'spillway.dev/burst-policy': 'localPrefer (label virtual-kubelet.io/burst-to-cci)',
        },
      },
      target: { apiVersion: 'v1', kind: 'Node', name: 'vk' },
    });
  });

  const costKey = 'controller.kubernetes.io/pod-deletion-cost';
  const costOf = (annotations: Record<string, string>, location: ScheduleProfileSpec['location']): string | undefined =>
    bindingOf(testPod({ metadata: { annotations } }), { nodeName: 'vk', policy, location }).metadata?.annotations?.[
      costKey
    ];

  it("leaves a user's deletion cost alone", () => {
    expect(costOf({ [costKey]: '7' }, { cci: { scaleDownPriority: 5 } })).toBeUndefined();
  });

  it('takes the cost from the profile', () => {
    expect(costOf({}, { cci: { scaleDownPriority: 5 } })).toBe('-5');
  });

  it('replaces the cost that came with the local place which the pod leaves', () => {
    const location = { local: { scaleDownPriority: 10 }, cci: { scaleDownPriority: 50 } };
    const side = { 'spillway.dev/profile-side': 'local' };
    expect(costOf({ ...side, [costKey]: '-10' }, location)).toBe('-50');
    expect(costOf({ ...side, [costKey]: '-11' }, location)).toBeUndefined();
    expect(costOf({ ...side, [costKey]: '-10' }, { local: location.local, cci: location.local })).toBeUndefined();
  });
});
