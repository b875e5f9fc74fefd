import { expect, test } from 'vitest';
import { settle, TestClock } from '../../test/test-clock.ts';
import { TransportError } from '../errors.ts';
import { Lane } from './lanes.ts';

const forever = new AbortController().signal;

test('requests of a lane go in their order, as fast as rate and burst allow', async () => {
  const clock = new TestClock(0);
  const lane = new Lane('x', { qps: 10, burst: 2, concurrency: 100 }, clock);
  const sent: [number, number][] = [];
  for (let i = 0; i < 4; i++) void lane.acquire(forever).then(() => sent.push([i, clock.now()]));
  await clock.advance(1_000);
  expect(sent).toEqual([
    [0, 0],
    [1, 0],
    [2, 100],
    [3, 200],
  ]);
});

test('no more are under way than the lane has connections; a finished one lets the next go', async () => {
  const lane = new Lane('x', { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 2 }, new TestClock());
  const sent: number[] = [];
  for (let i = 0; i < 3; i++) void lane.acquire(forever).then(() => sent.push(i));
  await settle();
  expect(sent).toEqual([0, 1]);
  lane.release();
  await settle();
  expect(sent).toEqual([0, 1, 2]);
});

test('who gives up while waiting is passed over and costs no token', async () => {
  const clock = new TestClock(0);
  const lane = new Lane('x', { qps: 10, burst: 1, concurrency: 100 }, clock);
  await lane.acquire(forever);
  const impatient = new AbortController();
  const givenUp = lane.acquire(impatient.signal);
  let sentAt = -1;
  void lane.acquire(forever).then(() => (sentAt = clock.now()));
  impatient.abort();
  await expect(givenUp).rejects.toMatchObject({ kind: 'aborted' });
  await expect(lane.acquire(impatient.signal)).rejects.toBeInstanceOf(TransportError);
  await clock.advance(100);
  expect(sentAt).toBe(100);
});
