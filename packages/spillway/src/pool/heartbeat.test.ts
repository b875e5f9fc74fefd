import { expect, test } from 'vitest';
import { BackendError, type EndedInSilence, type HeartbeatTerms } from '../backends/backend.ts';
import { Heartbeat } from './heartbeat.ts';

const hourMs = 3_600_000;

/** Runs until the clock, which runs only while somebody sleeps, has come to `untilMs`. */
async function run({
  untilMs,
  renew = async () => undefined,
  clusterAnswers = () => true,
  ...more
}: {
  readonly untilMs: number;
  readonly renew?: (nowMs: number) => Promise<EndedInSilence | undefined>;
  readonly clusterAnswers?: (nowMs: number) => boolean;
  readonly afterMs?: number | undefined;
}): Promise<{ renewals: number[]; terms: HeartbeatTerms[]; told: string[]; ends: number; state: unknown }> {
  const { afterMs } = { afterMs: hourMs as number | undefined, ...more };
  let nowMs = 0;
  let ends = 0;
  const stop = new AbortController();
  const renewals: number[] = [];
  const terms: HeartbeatTerms[] = [];
  const told: string[] = [];
  const heartbeat = new Heartbeat({
    backend: {
      renewHeartbeat: async (wanted) => {
        const ended = await renew(nowMs);
        renewals.push(nowMs);
        terms.push(wanted);
        return ended;
      },
      endHeartbeat: async () => {
        await renew(nowMs);
        ends += 1;
      },
    },
    afterMs,
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      if (clusterAnswers(nowMs)) heartbeat.clusterAnswered();
      if (nowMs >= untilMs) stop.abort();
    },
    onRenewed: () => {},
    onError: () => {},
    onChange: ({ kind }) => void told.push(`${kind} ${nowMs}`),
    onEnded: ({ instances }) => void told.push(`ended ${instances}`),
  });
  heartbeat.clusterAnswered();
  await heartbeat.run(stop.signal);
  return { renewals, terms, told, ends, state: heartbeat.state };
}

test('is renewed every two minutes: a call a minute', async () => {
  const { renewals, terms, told } = await run({ untilMs: 600_000 });
  expect(renewals).toEqual([0, 120_000, 240_000, 360_000, 480_000]);
  expect(terms[0]).toEqual({ afterMs: hourMs, everyMs: 120_000 });
  expect(told).toEqual(['renewed 0']);
});

test('is tried again soon when it fails, and is late when half of the time is over', async () => {
  const { renewals, told } = await run({
    untilMs: 2_000_000,
    renew: async (nowMs) => {
      if (nowMs > 0 && nowMs < 1_900_000) throw new BackendError('unavailable', 'no route');
      return undefined;
    },
  });
  expect(renewals[1]).toBeGreaterThanOrEqual(1_900_000);
  expect(told.map((each) => each.split(' ')[0])).toEqual(['renewed', 'late', 'renewed']);
  const lateMs = Number(told[1]?.split(' ')[1]);
  expect(lateMs).toBeGreaterThanOrEqual(hourMs / 2);
  expect(lateMs).toBeLessThan(hourMs / 2 + 120_000);
});

test('stops while the cluster does not answer, although Spillway runs, and goes on when it does', async () => {
  const { renewals } = await run({
    untilMs: 1_000_000,
    clusterAnswers: (nowMs) => nowMs < 200_000 || nowMs > 800_000,
  });
  expect(renewals.filter((ms) => ms > 260_000 && ms < 800_000)).toEqual([]);
  expect(renewals.some((ms) => ms > 800_000 && ms < 803_000)).toBe(true);
});

test('tells what was ended while it was away', async () => {
  const { told } = await run({ untilMs: 10_000, renew: async () => ({ at: '', silentSince: '', instances: 7 }) });
  expect(told).toEqual(['renewed 0', 'ended 7']);
});

test('is taken away once when it is not asked for (any more), however often that fails', async () => {
  let failures = 3;
  const { ends, renewals, state } = await run({
    untilMs: hourMs,
    afterMs: undefined,
    renew: async () => {
      failures -= 1;
      if (failures >= 0) throw new BackendError('throttled', 'too many');
      return undefined;
    },
  });
  expect([ends, renewals, state]).toEqual([1, [], undefined]);
});
