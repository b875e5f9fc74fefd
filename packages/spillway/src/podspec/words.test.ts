import { expect, test } from 'vitest';
import { counted, sentences } from './words.ts';

test.each([
  [['the pool is full', 'Wait'], 'the pool is full. Wait.'],
  [['the pool is full.', 'Wait.'], 'the pool is full. Wait.'],
  [['kubernetes.io/elb.id is set', undefined, ''], 'kubernetes.io/elb.id is set'],
  [['kubernetes.io/elb.id is set', 'Remove it'], 'kubernetes.io/elb.id is set. Remove it.'],
  [[], ''],
])('%j are read as "%s"', (texts, expected) => {
  expect(sentences(...texts)).toBe(expected);
});

test('one is one, all else is many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'pod'))).toEqual(['0 pods', '1 pod', '2 pods']);
});
