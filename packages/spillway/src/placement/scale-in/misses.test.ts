import type { Pod } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { testPod } from '../testing/objects.ts';
import { missesOf } from './misses.ts';

const on = (nodeName: string, cost?: string): Pod =>
  testPod({
    metadata: { annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost } },
    spec: { nodeName },
  });
const misses = (removed: readonly Pod[], kept: readonly Pod[]): number =>
  missesOf(removed, kept, (name) => name === 'vk');

describe('a scale-in', () => {
  it('has no miss when burst pods went first', () => {
    expect(misses([on('vk', '-100'), on('node-1')], [on('node-1'), on('node-1')])).toBe(0);
  });

  it('misses once for each local pod that went in place of a burst pod', () => {
    expect(misses([on('node-1'), on('node-1')], [on('vk', '-100'), on('node-1')])).toBe(1);
    expect(misses([on('node-1'), on('node-1')], [on('vk', '-100'), on('vk', '-100'), on('vk', '-100')])).toBe(2);
  });

  it("is right when the user's costs say so", () => {
    expect(misses([on('node-1')], [on('vk', '1000')])).toBe(0);
    expect(misses([on('node-1', '-500')], [on('vk', '-100')])).toBe(0);
  });
});
