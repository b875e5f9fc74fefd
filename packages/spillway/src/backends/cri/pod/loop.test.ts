import type { Clock } from '@spillway/kube';
import { describe, expect, test } from 'vitest';
import { Loop } from './loop.ts';

/** Time that stands still until somebody moves it. */
class FakeClock implements Clock {
  #now = 0;
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sleepers.push({ until: this.#now + ms, wake: resolve });
    signal?.addEventListener('abort', () => resolve(), { once: true });
    return promise;
  }

  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const { until, wake } of this.#sleepers) if (until <= this.#now) wake();
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function recorded(): { loop: Loop; clock: FakeClock; turns: AbortSignal[]; finish: () => void } {
  const clock = new FakeClock();
  const turns: AbortSignal[] = [];
  let current = Promise.withResolvers<void>();
  const loop = new Loop(async (signal) => {
    turns.push(signal);
    await current.promise;
  }, clock);
  const finish = (): void => {
    current.resolve();
    current = Promise.withResolvers();
  };
  return { loop, clock, turns, finish };
}

describe('a loop', () => {
  test('takes a turn for all who woke it before, and one more for those who woke it during', async () => {
    const { loop, turns, finish } = recorded();
    loop.wake();
    loop.wake();
    await settle();
    expect(turns).toHaveLength(1);
    expect(loop.busy).toBe(true);
    loop.wake();
    loop.wake();
    finish();
    await settle();
    expect(turns).toHaveLength(2);
    finish();
    await settle();
    expect([turns.length, loop.busy]).toEqual([2, false]);
  });

  test('tells a turn that it is no longer wanted, and takes another', async () => {
    const { loop, turns, finish } = recorded();
    loop.wake();
    await settle();
    loop.interrupt(new Error('changed'));
    expect(turns[0]?.aborted).toBe(true);
    finish();
    await settle();
    expect(turns[1]?.aborted).toBe(false);
    finish();
  });

  test('wakes at the time that was asked for last, unless it is woken before', async () => {
    const { loop, clock, turns, finish } = recorded();
    loop.wakeAt(1000);
    loop.wakeAt(5000);
    await clock.advance(2000);
    expect(turns).toHaveLength(0);
    await clock.advance(3000);
    expect(turns).toHaveLength(1);
    finish();
    await settle();
    loop.wakeAt(9000);
    loop.wake();
    await settle();
    finish();
    await clock.advance(9000);
    expect(turns).toHaveLength(2);
  });

  test('that is closed ends its turn and takes no other', async () => {
    const { loop, clock, turns, finish } = recorded();
    loop.wake();
    await settle();
    loop.wake();
    const closing = loop.close(new Error('closed'));
    expect(turns[0]?.aborted).toBe(true);
    finish();
    await closing;
    loop.wake();
    loop.wakeAt(1);
    await clock.advance(10);
    expect(turns).toHaveLength(1);
  });
});
