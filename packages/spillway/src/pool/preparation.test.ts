import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Backend, BackendError, type PreparationState } from '../backends/backend.ts';
import { Preparation } from './preparation.ts';

/** Follows fake timers, which Node's own promise timers do not. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function setUp(failures: number): { preparation: Preparation; counts: { calls: number; errors: number } } {
  const counts = { calls: 0, errors: 0 };
  const preparation = new Preparation({
    backend: {
      prepare: async () => {
        counts.calls += 1;
        if (counts.calls <= failures) throw new Error('not there yet');
      },
    },
    sleep,
    onError: () => void (counts.errors += 1),
  });
  return { preparation, counts };
}

describe('the preparation of a backend', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is tried until it is done, once for all who wait', async () => {
    const abort = new AbortController();
    const { preparation, counts } = setUp(4);
    // Nobody has to be told of what is only not done yet.
    expect(preparation.obstacle).toMatchObject({ message: 'the backend is being prepared', notices: [] });
    const running = preparation.run(abort.signal);
    await vi.advanceTimersByTimeAsync(10);
    expect(preparation.obstacle).toEqual({ kind: 'unprepared', reason: 'PreparationFailed', message: 'not there yet' });
    const waiting = Promise.all([preparation.ready(abort.signal), preparation.ready(abort.signal)]);
    await vi.advanceTimersByTimeAsync(60_000);
    await waiting;
    await preparation.ready(abort.signal);
    expect(preparation.obstacle).toBeUndefined();
    expect(counts).toEqual({ calls: 5, errors: 4 });
    abort.abort();
    await running;
  });

  it('is done again when what was prepared is gone', async () => {
    const abort = new AbortController();
    const { preparation, counts } = setUp(0);
    const running = preparation.run(abort.signal);
    await preparation.ready(abort.signal);
    preparation.invalidate();
    await preparation.ready(abort.signal);
    expect(counts.calls).toBe(2);
    abort.abort();
    await running;
  });

  it('tells what is waited for and what is missing, each once, and when it is there', async () => {
    const abort = new AbortController();
    const told: [PreparationState['kind'], string, string?][] = [];
    let state: 'pending' | 'taken' | 'fine' = 'pending';
    const prepare: Backend['prepare'] = async (_signal, tell) => {
      if (state === 'fine') return;
      if (state === 'taken') {
        const remedy = 'Set namespaceName';
        throw new BackendError('blocked', 'the namespace is taken', { reason: 'CCINamespaceTaken', remedy });
      }
      tell?.({ severity: 'Normal', reason: 'CCINetworkPending', message: 'the network is Pending' });
      throw new BackendError('unavailable', 'not within 10 minutes', { reason: 'CCINetworkNotReady' });
    };
    const preparation = new Preparation({
      backend: { prepare },
      sleep,
      onError: () => undefined,
      onChange: (now, severity) =>
        told.push(
          now.kind === 'unprepared' ? [now.kind, severity, `${now.reason}: ${now.message}`] : [now.kind, severity],
        ),
    });
    const running = preparation.run(abort.signal);
    expect(preparation.state).toEqual({ kind: 'unprepared', reason: 'CCINetworkPending', message: expect.anything() });
    state = 'taken';
    await vi.advanceTimersByTimeAsync(120_000);
    state = 'fine';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([
      ['unprepared', 'Normal', 'CCINetworkPending: the network is Pending'],
      ['unprepared', 'Warning', 'CCINetworkNotReady: not within 10 minutes'],
      ['unprepared', 'Warning', 'CCINamespaceTaken: the namespace is taken. Set namespaceName.'],
      ['prepared', 'Normal'],
    ]);
    abort.abort();
    await running;
  });

  it('lets those who wait go when the process stops', async () => {
    const abort = new AbortController();
    const { preparation } = setUp(Number.POSITIVE_INFINITY);
    const running = preparation.run(abort.signal);
    const waiting = preparation.ready(abort.signal);
    abort.abort();
    await expect(waiting).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(0);
    await running;
  });
});
