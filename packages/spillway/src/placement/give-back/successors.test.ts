import { expect, it } from 'vitest';
import { Successors } from './successors.ts';

const hour = 3_600_000;

it('pods that were there before the first was given back are no successors', () => {
  const successors = new Successors();
  expect(successors.isOne('rs', 5)).toBe(false);
  successors.givenBack('rs', 10);
  successors.givenBack('rs', 20);
  expect([5, 10, 15].map((seenMs) => successors.isOne('rs', seenMs))).toEqual([false, false, true]);
  expect(successors.isOne('other', 15)).toBe(false);
});

it('a controller is remembered for as long as a successor may come', () => {
  const successors = new Successors();
  successors.givenBack('old', 0);
  successors.givenBack('young', 10);
  successors.givenBack('new', hour + 5);
  expect(successors.isOne('old', hour + 6)).toBe(false);
  expect(successors.isOne('young', hour + 6)).toBe(true);
});
