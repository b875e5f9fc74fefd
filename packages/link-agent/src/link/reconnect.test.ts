import { expect, test } from 'vitest';
import { pauseMs } from './reconnect.ts';

test('pauses grow to half a minute, and are spread over all of it', () => {
  expect([0, 1, 2, 5, 1000].map((failures) => pauseMs(failures, 0.999_999))).toEqual([999, 1999, 3999, 29_999, 29_999]);
  expect(pauseMs(1000, 0)).toBe(0);
});
