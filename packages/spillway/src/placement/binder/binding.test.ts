import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
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

  it("leaves a user's deletion cost alone", () => {
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '7' };
    const { metadata } = bindingOf(testPod({ metadata: { annotations } }), {
      nodeName: 'vk',
      policy,
      deletionCost: -5,
    });
    expect(metadata?.annotations).not.toHaveProperty('controller.kubernetes.io/pod-deletion-cost');
  });

  it('takes the cost from the profile', () => {
    const { metadata } = bindingOf(testPod(), { nodeName: 'vk', policy, deletionCost: -5 });
    expect(metadata?.annotations).toMatchObject({ 'controller.kubernetes.io/pod-deletion-cost': '-5' });
  });
});
