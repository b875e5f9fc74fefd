import { array, assert, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { isSameSilence, verdictOf, watchMs } from './silence.ts';

const hour = 3_600_000;
const terms = { afterMs: 6 * hour, everyMs: 120_000, beat: 'a' };
const reading = (nowMs: number, renewedMs: number): Parameters<typeof verdictOf>[0] => ({
  nowMs,
  heartbeat: { ...terms, renewedMs },
});

test('a node is silent after the time that it has set itself, and not a moment before', () => {
  expect(verdictOf(reading(6 * hour - 1, 0), []).kind).toBe('alive');
  expect(verdictOf(reading(6 * hour, 0), [])).toEqual({ kind: 'overdue', silentMs: 6 * hour, sinceMs: 0 });
});

test('without a heartbeat nothing is ever overdue, however old the instances are', () => {
  expect(verdictOf({ nowMs: 1e15 }, [{ createdMs: 0 }])).toEqual({ kind: 'no-heartbeat' });
});

test('an instance that was created after the last heartbeat is a sign of life', () => {
  expect(verdictOf(reading(7 * hour, 0), [{ createdMs: 2 * hour }, { createdMs: 0 }])).toEqual({
    kind: 'alive',
    silentMs: 5 * hour,
  });
  expect(verdictOf(reading(8 * hour, 0), [{ createdMs: 2 * hour }])).toMatchObject({
    kind: 'overdue',
    sinceMs: 2 * hour,
  });
});

test('a time that cannot be read is none', () => {
  expect(verdictOf(reading(7 * hour, 0), [{ createdMs: Number.NaN }]).kind).toBe('overdue');
});

test('a clock that was set back makes nobody silent', () => {
  expect(verdictOf(reading(0, 5 * hour), [])).toEqual({ kind: 'alive', silentMs: -5 * hour });
});

const times = integer({ min: 0, max: 100 * hour });

test('whatever the times are: overdue is exactly who has given no sign of life for so long', () => {
  assert(
    property(times, times, array(times, { maxLength: 5 }), (nowMs, renewedMs, created) => {
      const last = Math.max(renewedMs, ...created);
      const { kind } = verdictOf(
        reading(nowMs, renewedMs),
        created.map((createdMs) => ({ createdMs })),
      );
      expect(kind).toBe(nowMs - last >= terms.afterMs ? 'overdue' : 'alive');
    }),
  );
});

test('a silence is over with any other heartbeat, also one with the same time, and when there is none', () => {
  const found = { ...terms, renewedMs: 0 };
  expect(isSameSilence(found, { nowMs: 9, heartbeat: found })).toBe(true);
  expect(isSameSilence(found, { nowMs: 9, heartbeat: { ...found, beat: 'b' } })).toBe(false);
  expect(isSameSilence(found, { nowMs: 9 })).toBe(false);
});

test('it is watched for several renewals', () => {
  expect(watchMs(terms)).toBe(360_000);
});
