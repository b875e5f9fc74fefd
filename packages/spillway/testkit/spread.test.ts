import { expect, it } from 'vitest';
import { spread } from './spread.ts';

const isUpper = (text: string): boolean => text === text.toUpperCase();

it.each([
  ['abcdefABC', 'aAbcBdeCf'],
  ['ABab', 'AaBb'],
  ['abc', 'abc'],
  ['ABC', 'ABC'],
])('files that take turns are spread among the others: %s', (files, expected) => {
  expect(spread(files.split(''), isUpper).join('')).toBe(expected);
});
