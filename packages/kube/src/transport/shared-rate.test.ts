import { expect, test } from 'vitest';
import { settle, TestClock } from '../../test/test-clock.ts';
import { SharedRate } from './shared-rate.ts';

const forever = new AbortController().signal;
const order = ['delete', 'create', 'sync', 'read'];

/** A rate, and who was admitted when. */
function start(options: { qps: number; burst: number }): {
  clock: TestClock;
  rate: SharedRate;
  sent: [string, number][];
  send: (lane: string, count?: number) => void;
} {
  const clock = new TestClock(0);
  const rate = new SharedRate({ ...options, order }, clock);
  const sent: [string, number][] = [];
  const send = (lane: string, count = 1): void => {
    for (let i = 0; i < count; i++) void rate.acquire(lane, forever).then(() => sent.push([lane, clock.now()]));
  };
  return { clock, rate, sent, send };
}

test('all lanes share one rate, and what ends pods goes before what creates, changes and reads them', async () => {
  const { clock, sent, send } = start({ qps: 10, burst: 1 });
  send('read');
  for (const lane of ['unknown', 'read', 'sync', 'create', 'delete']) send(lane);
  await clock.advance(450);
  send('delete');
  await clock.advance(1000);
  expect(sent).toEqual([
    ['read', 0],
    ['delete', 100],
    ['create', 200],
    ['sync', 300],
    ['read', 400],
    ['delete', 500],
    ['unknown', 600],
  ]);
});

test('after a pause as many go at once as were saved up', async () => {
  const { clock, sent, send } = start({ qps: 20, burst: 100 });
  send('create', 120);
  await settle();
  expect(sent).toHaveLength(100);
  await clock.advance(1000);
  expect(sent).toHaveLength(120);
});

test('when the server says that it is too much, nothing goes for as long as it asks, then half as much', async () => {
  const { clock, rate, sent, send } = start({ qps: 20, burst: 100 });
  // Both were under way: that is one complaint.
  rate.throttled(5000);
  rate.throttled(2000);
  send('delete', 100);
  await clock.advance(4999);
  expect(sent).toHaveLength(0);
  await clock.advance(1);
  expect(sent).toHaveLength(1);
  await clock.advance(900);
  expect(sent).toHaveLength(10);
});

test('every second without a complaint more goes, until it is the full rate again', async () => {
  const { clock, rate, sent, send } = start({ qps: 20, burst: 10 });
  rate.throttled(0);
  send('read', 1000);
  const counts: number[] = [];
  for (let second = 0; second < 12; second++) {
    const before = sent.length;
    await clock.advance(1000);
    counts.push(sent.length - before);
  }
  // Half of it, and one more each second; a token that a raise cuts short comes a little later.
  const expected = Array.from({ length: 12 }, (_, second) => Math.min(20, 10 + second));
  for (const [second, count] of counts.entries()) {
    expect(Math.abs(count - (expected[second] ?? 0))).toBeLessThanOrEqual(1);
  }
  expect(counts.at(-1)).toBe(20);
});

test('who gives up while waiting is passed over and costs no token', async () => {
  const { clock, rate, sent, send } = start({ qps: 10, burst: 1 });
  send('read');
  const impatient = new AbortController();
  const givenUp = rate.acquire('delete', impatient.signal);
  send('read');
  impatient.abort();
  await expect(givenUp).rejects.toMatchObject({ kind: 'aborted' });
  await clock.advance(100);
  expect(sent).toEqual([
    ['read', 0],
    ['read', 100],
  ]);
});
