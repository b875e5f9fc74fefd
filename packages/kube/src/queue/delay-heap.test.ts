import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { DelayHeap } from './delay-heap.ts';

const add = fc.record({ key: fc.nat(20), at: fc.nat(100) });
const take = fc.record({ takeUntil: fc.nat(100) });

test.prop([fc.array(fc.oneof({ weight: 3, arbitrary: add }, take), { maxLength: 200 })])(
  'keys come out when they are due, the earliest first, each with the earlier of its times',
  (steps) => {
    const heap = new DelayHeap<number>();
    const model = new Map<number, number>();
    for (const step of steps) {
      if ('key' in step) {
        heap.add(step.key, step.at);
        model.set(step.key, Math.min(step.at, model.get(step.key) ?? step.at));
      } else {
        const taken = heap.takeDue(step.takeUntil);
        const first = Math.min(...model.values());
        if (taken === undefined) {
          expect(first).toBeGreaterThan(step.takeUntil);
        } else {
          expect(model.get(taken.key)).toBe(first);
          model.delete(taken.key);
        }
      }
      expect(heap.size).toBe(model.size);
      expect(heap.nextAt).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
    }
  },
);
