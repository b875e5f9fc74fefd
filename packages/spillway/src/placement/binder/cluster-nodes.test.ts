import { describe, expect, it } from 'vitest';
import { realNode, virtualNode } from '../testing/objects.ts';
import { ClusterNodes } from './cluster-nodes.ts';

describe('the nodes of the cluster', () => {
  it('are real, virtual and ours, or virtual and of somebody else', () => {
    const nodes = new ClusterNodes(['vk']);
    for (const node of [realNode('a'), virtualNode('vk'), virtualNode('foreign')]) nodes.set(node);
    expect(Array.from(nodes.real(), ({ metadata }) => metadata?.name)).toEqual(['a']);
    expect(['a', 'vk', 'foreign'].map((name) => nodes.isVirtual(name))).toEqual([false, true, true]);
    expect(['a', 'vk', 'foreign'].map((name) => nodes.pool(name) !== undefined)).toEqual([false, true, false]);
    nodes.delete(virtualNode('vk'));
    expect(nodes.pool('vk')).toBeUndefined();
    expect(nodes.isVirtual('vk')).toBe(true);
  });

  it('have changed when labels, taints or a cordon did, and not by a heartbeat', () => {
    const nodes = new ClusterNodes([]);
    expect(nodes.set(realNode('a'))).toBe(true);
    expect(nodes.set({ ...realNode('a'), status: { conditions: [] } })).toBe(false);
    expect(nodes.set(realNode('a', { spec: { unschedulable: true } }))).toBe(true);
    expect(nodes.set(realNode('a', { labels: { disk: 'ssd' } }))).toBe(true);
  });
});
