import { expect, test } from 'vitest';
import { milliOf } from './quantity.ts';

test.each([
  ['1', 1000n],
  [2, 2000n],
  ['500m', 500n],
  ['0.25', 250n],
  ['1Gi', 1024n ** 3n * 1000n],
  ['0.2Gi', 214748364800n],
  ['1e3', 1_000_000n],
  ['1500u', 2n],
])('%s', (text, milli) => {
  expect(milliOf(text)).toBe(milli);
});

test.each(['', 'abc', '-1', '1Xi', '.', null, {}])('%j is no quantity', (text) => {
  expect(milliOf(text)).toBeUndefined();
});
