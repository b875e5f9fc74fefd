import type { Clock } from '@spillway/kube';
import { describe, expect, it } from 'vitest';
import { BackendError, type Instance, type InstanceUsage, type UsageState } from '../backends/backend.ts';
import { UsageSampler, type UsageObserver } from './usage-sampler.ts';

const instance: Instance = {
  ref: { uid: 'a', namespace: 'shop', name: 'web' },
  state: 'running',
  podIPs: [],
  startTime: '1970-01-01T00:00:00Z',
  containerStatuses: [
    {
      name: 'main',
      image: '',
      imageID: '',
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: '1970-01-01T00:00:01Z' } },
    },
  ],
  initContainerStatuses: [],
};

/** A sampler with a clock that stands still, and a backend that answers what the test says. */
function setUp(answer: (signal: AbortSignal) => Promise<readonly InstanceUsage[]>) {
  let nowMs = 1_000_000;
  const states: UsageState[] = [];
  const observed: Parameters<UsageObserver['usageAsked']>[] = [];
  let calls = 0;
  const sleepers: (() => void)[] = [];
  const clock: Clock = {
    now: () => nowMs,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        sleepers.push(resolve);
        if (signal?.aborted) resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  const sampler = new UsageSampler({
    backend: {
      usage: (signal) => {
        calls += 1;
        return answer(signal);
      },
    },
    instances: () => [instance],
    intervalMs: 10_000,
    clock,
    onChange: (state) => void states.push(state),
    observer: { usageAsked: (...about) => void observed.push(about) },
  });
  const pass = (seconds: number): void => void (nowMs += seconds * 1000);
  return { sampler, states, observed, pass, calls: () => calls, now: () => nowMs, wake: () => sleepers.pop()?.() };
}

const usage = (atMs: number): readonly InstanceUsage[] => [
  { uid: 'a', atMs, windowMs: 15_000, containers: [{ name: 'main', cores: 0.5, memoryBytes: 1 }] },
];

describe('what pods use', () => {
  it('is asked once for all who want to know at the same time, however long it takes, and within the interval', async () => {
    const answered = Promise.withResolvers<readonly InstanceUsage[]>();
    const { sampler, calls, pass, now } = setUp(() => answered.promise);
    const some = Array.from({ length: 500 }, () => sampler.figures());
    pass(11);
    const all = Promise.all([...some, ...Array.from({ length: 500 }, () => sampler.figures())]);
    answered.resolve(usage(now()));
    expect(new Set(await all).size).toBe(1);
    expect(calls()).toBe(1);
    await sampler.figures();
    pass(9.9);
    expect((await sampler.figures())?.pods.size).toBe(1);
    expect(calls()).toBe(2);
    pass(0.1);
    await sampler.figures();
    expect(calls()).toBe(3);
  });

  it('is not asked while nobody wants to know, but now and then, so that the node says how it is', async () => {
    const { sampler, calls, states, pass, wake } = setUp(async () => []);
    expect(calls()).toBe(0);
    expect(sampler.state).toEqual({ kind: 'unknown' });
    const stop = new AbortController();
    const running = sampler.run(stop.signal);
    await expect.poll(() => states).toEqual([{ kind: 'measured' }]);
    pass(300);
    await expect.poll(() => wake() ?? calls()).toBe(2);
    stop.abort();
    await running;
  });

  it('is told for a minute after the backend has stopped to say it; then it is unknown, and the node says why', async () => {
    let isAway = false;
    const { sampler, states, observed, pass, now } = setUp(async () => {
      if (isAway) throw new BackendError('unavailable', 'no answer', { remedy: 'Look there.' });
      return usage(now());
    });
    const first = await sampler.figures();
    isAway = true;
    pass(30);
    expect(await sampler.figures()).toBe(first);
    expect(states).toEqual([{ kind: 'measured' }]);
    pass(30);
    expect(await sampler.figures()).toBeUndefined();
    const message = 'no answer. Look there.';
    expect(states.at(-1)).toEqual({ kind: 'unmeasured', reason: 'MetricsUnavailable', message });
    expect(observed).toEqual([
      ['ok', 0, 1],
      ['unavailable', 0, 1],
      ['unavailable', 0, 0],
    ]);
    isAway = false;
    pass(10);
    expect((await sampler.figures())?.pods.size).toBe(1);
    expect(states.at(-1)).toEqual({ kind: 'measured' });
  });

  it('is unknown at once when there never was any, with the reason of the backend', async () => {
    const { sampler, states } = setUp(async () => {
      throw new BackendError('unavailable', 'there is no metrics API', { reason: 'NoMetricsAPI' });
    });
    expect(await sampler.figures()).toBeUndefined();
    expect(states).toEqual([{ kind: 'unmeasured', reason: 'NoMetricsAPI', message: 'there is no metrics API' }]);
  });

  it('is not asked before a backend that has too much to do says so, and in a minute in any case', async () => {
    let retryAfterMs = 30_000;
    const { sampler, calls, pass } = setUp(async () => {
      throw new BackendError('throttled', 'too many requests', { retryAfterMs });
    });
    await sampler.figures();
    pass(29);
    await sampler.figures();
    expect(calls()).toBe(1);
    retryAfterMs = 86_400_000;
    pass(1);
    await sampler.figures();
    pass(60);
    await sampler.figures();
    expect(calls()).toBe(3);
  });

  it('is not waited for when the process stops', async () => {
    const { sampler, states } = setUp(() => new Promise(() => undefined));
    const stop = new AbortController();
    const running = sampler.run(stop.signal);
    const wanted = sampler.figures();
    stop.abort();
    await Promise.all([running, wanted]);
    expect(states).toEqual([]);
  });
});
