import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackendHealth } from './backend-health.ts';

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

function setUp(ping: (signal: AbortSignal) => Promise<void>): {
  health: BackendHealth;
  changes: string[];
  stop: () => Promise<void>;
} {
  const changes: string[] = [];
  const health = new BackendHealth({
    backend: { ping },
    intervalMs: 10_000,
    timeoutMs: 5000,
    sleep,
    onChange: (state) => void changes.push(state.kind === 'unreachable' ? `unreachable: ${state.message}` : state.kind),
  });
  const abort = new AbortController();
  const running = health.run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await vi.advanceTimersByTimeAsync(0);
    await running;
  };
  return { health, changes, stop };
}

describe('the health of a backend', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is known after the first answer', async () => {
    const { health, changes, stop } = setUp(async () => undefined);
    expect(health.state).toEqual({ kind: 'unknown' });
    await health.known;
    expect(health.state).toEqual({ kind: 'reachable' });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(changes).toEqual(['reachable']);
    await stop();
  });

  it('is not judged by one accident', async () => {
    let pings = 0;
    const { changes, stop } = setUp(async () => {
      pings += 1;
      if (pings === 2) throw new Error('hiccup');
    });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(changes).toEqual(['reachable']);
    await stop();
  });

  it('is lost after a second failure, soon, and back with the first answer', async () => {
    let isAway = false;
    const { changes, stop } = setUp(async () => {
      if (isAway) throw new Error('connection refused');
    });
    await vi.advanceTimersByTimeAsync(1);
    isAway = true;
    await vi.advanceTimersByTimeAsync(11_100);
    expect(changes).toEqual(['reachable', 'unreachable: connection refused']);
    isAway = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(changes.at(-1)).toBe('reachable');
    await stop();
  });

  it('lets those go who wait for it when the process stops', async () => {
    const { health, stop } = setUp(() => new Promise(() => undefined));
    await stop();
    await health.known;
  });
});

describe('a backend that hangs and does not look at its signal', () => {
  it('is unreachable', async () => {
    // AbortSignal.timeout does not follow fake timers.
    const changes: string[] = [];
    const abort = new AbortController();
    const health = new BackendHealth({
      backend: { ping: () => new Promise(() => undefined) },
      intervalMs: 1,
      timeoutMs: 1,
      sleep: (_, signal) => sleep(1, signal),
      onChange: (state) => void changes.push(state.kind === 'unreachable' ? state.message : state.kind),
    });
    const running = health.run(abort.signal);
    await health.known;
    expect(changes).toEqual(['no answer within 0.001 s']);
    abort.abort();
    await running;
  });
});
