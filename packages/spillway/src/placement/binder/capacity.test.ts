import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { testPod, virtualNode } from '../testing/objects.ts';
import { footprint } from '../../podspec/resources.ts';
import { PoolCapacity } from './capacity.ts';

function pool(allocatable: Record<string, string>): PoolCapacity {
  const capacity = new PoolCapacity();
  capacity.setNode('vk', virtualNode('vk', { allocatable }));
  return capacity;
}

describe('the room of a pool', () => {
  const pod = testPod();

  it('is what the node offers without what its pods request', () => {
    const capacity = pool({ cpu: '1' });
    capacity.observe('a', 'vk', pod);
    expect(capacity.shortage('vk', footprint(pod))).toBeUndefined();
    capacity.reserve('b', 'vk', footprint(pod));
    expect(capacity.shortage('vk', footprint(pod))).toBe('cpu');
  });

  it('counts a pod once, however often it is seen', () => {
    const capacity = pool({ cpu: '1' });
    for (let times = 0; times < 3; times += 1) capacity.observe('a', 'vk', pod);
    expect(capacity.shortage('vk', footprint(pod))).toBeUndefined();
  });

  it('counts pods', () => {
    const capacity = pool({ pods: '1' });
    capacity.observe('a', 'vk', testPod({ spec: { containers: [] } }));
    expect(capacity.shortage('vk', footprint(testPod({ spec: { containers: [] } })))).toBe('pods');
  });

  it('is given back when a pod has ended or is gone, once', () => {
    const capacity = pool({ cpu: '500m' });
    capacity.observe('a', 'vk', pod);
    expect(capacity.observe('a', 'vk', testPod({ status: { phase: 'Succeeded' } }))).toBe(true);
    expect(capacity.release('a')).toBe(false);
    expect(capacity.shortage('vk', footprint(pod))).toBeUndefined();
  });

  it('is none of a resource that the node does not name, and none of a node that is not there', () => {
    const gpu = testPod({ spec: { containers: [{ name: 'a', resources: { limits: { 'nvidia.com/gpu': '1' } } }] } });
    expect(pool({}).shortage('vk', footprint(gpu))).toBe('nvidia.com/gpu');
    expect(pool({}).shortage('other', footprint(pod))).toBe('cpu');
  });

  it('says when a node offers more than before', () => {
    const capacity = pool({ cpu: '1' });
    expect(capacity.setNode('vk', virtualNode('vk', { allocatable: { cpu: '1' } }))).toBe(false);
    expect(capacity.setNode('vk', virtualNode('vk', { allocatable: { cpu: '2' } }))).toBe(true);
  });

  const step = fc.record({
    uid: fc.integer({ min: 0, max: 9 }),
    what: fc.constantFrom('reserve', 'observe', 'end', 'release'),
  });
  property.prop([fc.array(step, { maxLength: 60 })])('is exactly that of the pods that are there', (steps) => {
    const capacity = pool({ cpu: '100' });
    const there = new Set<string>();
    for (const { uid: number, what } of steps) {
      const uid = String(number);
      if (what === 'reserve') capacity.reserve(uid, 'vk', footprint(pod));
      else if (what === 'observe') capacity.observe(uid, 'vk', pod);
      else if (what === 'end') capacity.observe(uid, 'vk', testPod({ status: { phase: 'Failed' } }));
      else capacity.release(uid);
      if (what === 'reserve' || what === 'observe') there.add(uid);
      else there.delete(uid);
    }
    const rest = (halves: number): string | undefined =>
      capacity.shortage('vk', new Map([['cpu', BigInt(halves) * 500_000_000n]]));
    expect(rest(200 - there.size)).toBeUndefined();
    expect(rest(201 - there.size)).toBe('cpu');
  });
});
