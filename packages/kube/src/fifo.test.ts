import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { Fifo } from './fifo.ts';

test.prop([fc.array(fc.oneof(fc.nat(), fc.constant('shift' as const)), { maxLength: 1000, size: 'max' })])(
  'items come out in the order in which they went in',
  (steps) => {
    const fifo = new Fifo<number>();
    const model: number[] = [];
    for (const step of steps) {
      if (step === 'shift') {
        expect(fifo.peek()).toBe(model[0]);
        expect(fifo.shift()).toBe(model.shift());
      } else {
        fifo.push(step);
        model.push(step);
      }
      expect(fifo.length).toBe(model.length);
    }
  },
);

test('long queues keep their order across blocks', () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 1000; i++) fifo.push(i);
  expect(Array.from({ length: 1000 }, () => fifo.shift())).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(fifo.shift()).toBeUndefined();
});
