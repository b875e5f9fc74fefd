import { expect, test } from 'vitest';
import { nanosecondsOf } from './timestamp.ts';

const second = 1_767_225_600_000_000_000n;

test.each([
  ['2026-01-01T00:00:00Z', second],
  ['2026-01-01t00:00:00z', second],
  ['2026-01-01T00:00:00.123456789Z', second + 123_456_789n],
  ['2026-01-01T08:00:00.1+08:00', second + 100_000_000n],
  ['2026-01-01T00:00:00.1234567891Z', second + 123_456_789n],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-01-01', undefined],
  ['2026-01-01T00:00:00', undefined],
  ['yesterday', undefined],
])('%s is that many nanoseconds: %s', (text, expected) => {
  expect(nanosecondsOf(text)).toBe(expected);
});
