import { expect, test } from 'vitest';
import { afterFailure, isLocked, type Failures } from './lock.ts';

function failures(count: number, now = 0): Failures | undefined {
  return Array.from({ length: count }).reduce<Failures | undefined>((sum) => afterFailure(sum, now), undefined);
}

test('the sixth failure in a row locks a key for five minutes', () => {
  expect(isLocked(failures(5), 0)).toBe(false);
  expect(isLocked(failures(6), 0)).toBe(true);
  expect(isLocked(failures(6), 299_999)).toBe(true);
  expect(isLocked(failures(6), 300_000)).toBe(false);
});

test('after a lock it takes six failures again', () => {
  const afterwards = afterFailure(failures(6), 300_000);
  expect(afterwards).toEqual({ count: 1, lastAt: 300_000 });
});
