import { expect, test } from 'vitest';
import { PodNames } from './pod-names.ts';

test('no two pods of a run have the same name, whichever burst they belong to', () => {
  const names = new PodNames();
  const all = [...names.next(100), ...names.next(2), ...names.next(100)];
  expect(new Set(all).size).toBe(202);
});
