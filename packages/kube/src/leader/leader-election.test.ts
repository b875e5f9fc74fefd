import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LeaseServer } from '../../test/lease-server.ts';
import { settle, TestClock } from '../../test/test-clock.ts';
import type { Clock } from '../clock.ts';
import { TransportError } from '../errors.ts';
import { type LeaderElectionOptions, runLeaderElection } from './leader-election.ts';
import type { Leadership } from './tenure.ts';

let clock: TestClock;
let server: LeaseServer;
let leaders: Set<string>;
/** The most that led at a time */
let most: number;

beforeEach(() => {
  clock = new TestClock(Date.parse('2026-05-01T10:00:00.123Z'));
  server = new LeaseServer();
  leaders = new Set();
  most = 0;
});

interface Elector {
  readonly tenures: Leadership[];
  readonly errors: unknown[];
  readonly holders: string[];
  /** Time that this process does not notice: its timers do not fire. */
  paused: boolean;
  /** How long `lead` takes to end */
  endingMs: number;
  running: Promise<void>;
  stop(): Promise<void>;
}

function elector(name: string, more: Partial<LeaderElectionOptions> & { skewMs?: number } = {}): Elector {
  const stop = new AbortController();
  const { skewMs = 0, ...options } = more;
  const awake = async (): Promise<void> => {
    while (self.paused) await clock.sleep(100);
  };
  const own: Clock = {
    now: () => clock.now() + skewMs,
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal);
      await awake();
    },
  };
  const self: Elector = {
    tenures: [],
    errors: [],
    holders: [],
    paused: false,
    endingMs: 0,
    running: Promise.resolve(),
    stop: async () => {
      stop.abort();
      await self.running;
    },
  };
  self.running = runLeaderElection({
    client: server.client(name),
    namespace: 'spillway-system',
    name: 'pool',
    identity: name,
    signal: stop.signal,
    clock: own,
    monotonic: () => clock.now(),
    random: () => 0.5,
    onError: (error) => self.errors.push(error),
    onHolder: (holder) => self.holders.push(holder),
    lead: async (leadership) => {
      self.tenures.push(leadership);
      leaders.add(name);
      most = Math.max(most, leaders.size);
      const { promise, resolve } = Promise.withResolvers<void>();
      leadership.lost.addEventListener('abort', () => leaders.delete(name));
      leadership.signal.addEventListener('abort', () => resolve());
      if (leadership.signal.aborted) resolve();
      await promise;
      await clock.sleep(self.endingMs);
      leaders.delete(name);
    },
    ...options,
  });
  onTestFinished(async () => {
    self.paused = false;
    stop.abort();
    const ending = self.running.catch(() => undefined);
    await clock.advance(300_000);
    await ending;
  });
  return self;
}

const record = (): object | undefined => server.stored?.spec;
const outage = (): never => {
  throw new TransportError('unreachable', 'refused');
};

test('the first one leads at once, and its record says since when', async () => {
  elector('a');
  await settle();
  expect([...leaders]).toEqual(['a']);
  expect(server.stored).toMatchObject({
    metadata: { namespace: 'spillway-system', name: 'pool' },
    spec: {
      holderIdentity: 'a',
      leaseDurationSeconds: 10,
      acquireTime: '2026-05-01T10:00:00.123000Z',
      renewTime: '2026-05-01T10:00:00.123000Z',
      leaseTransitions: 0,
    },
  });
  await clock.advance(60_000);
  expect(record()).toMatchObject({
    acquireTime: '2026-05-01T10:00:00.123000Z',
    renewTime: '2026-05-01T10:01:00.123000Z',
  });
});

test('two that start together: one leads, the other stands by and knows who leads', async () => {
  const [a, b] = [elector('a'), elector('b')];
  await clock.advance(120_000);
  expect(leaders.size).toBe(1);
  expect(most).toBe(1);
  expect(a.tenures.length + b.tenures.length).toBe(1);
  expect(a.holders.at(-1)).toBe(b.holders.at(-1));
  expect([...a.errors, ...b.errors]).toEqual([]);
});

describe('take-over', () => {
  test('after a graceful stop at the next try, and not before the work has ended', async () => {
    const a = elector('a');
    await settle();
    const b = elector('b');
    a.endingMs = 20_000;
    const stopping = a.stop();
    await clock.advance(19_000);
    expect([...leaders]).toEqual(['a']);
    await clock.advance(6_000);
    await stopping;
    expect([...leaders]).toEqual(['b']);
    expect(b.tenures).toHaveLength(1);
    expect(a.tenures[0]?.lost.aborted).toBe(false);
    expect(record()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1, leaseDurationSeconds: 10 });
    expect(most).toBe(1);
  });

  test('from a leader that vanished: ten seconds after its last renewal was seen', async () => {
    const a = elector('a');
    await settle();
    elector('b');
    await clock.advance(20_000);
    a.paused = true;
    leaders.delete('a');
    await clock.advance(6_000);
    expect([...leaders]).toEqual([]);
    await clock.advance(9_000);
    expect([...leaders]).toEqual(['b']);
    expect(record()).toMatchObject({ leaseTransitions: 1 });
  });

  test.each([-3_600_000, 3_600_000])('does not trust the clock of others: one is off by %d ms', async (skewMs) => {
    const a = elector('a', { skewMs });
    await settle();
    const b = elector('b');
    await clock.advance(120_000);
    expect([...leaders]).toEqual(['a']);
    await Promise.all([a.stop(), clock.advance(10_000)]);
    expect([...leaders]).toEqual(['b']);
    elector('c', { skewMs });
    await clock.advance(120_000);
    expect([...leaders]).toEqual(['b']);
    expect(b.tenures).toHaveLength(1);
    expect(most).toBe(1);
  });

  test('waits its time also when somebody deletes the lease', async () => {
    const a = elector('a');
    await settle();
    elector('b');
    await clock.advance(10_000);
    server.stored = undefined;
    server.before = (who) => (who === 'a' ? outage() : undefined);
    await clock.advance(9_000);
    expect(a.tenures[0]?.lost.aborted).toBe(true);
    expect([...leaders]).toEqual([]);
    await clock.advance(6_000);
    expect([...leaders]).toEqual(['b']);
    expect(most).toBe(1);
  });
});

describe('a leader', () => {
  test('whose lease is deleted makes it again and goes on', async () => {
    const a = elector('a');
    await settle();
    server.stored = undefined;
    await clock.advance(2_000);
    expect(record()).toMatchObject({ holderIdentity: 'a' });
    expect(a.tenures).toHaveLength(1);
    expect(a.tenures[0]?.lost.aborted).toBe(false);
    expect(a.errors).toEqual([]);
  });

  test('survives an outage that is shorter than its deadline', async () => {
    const a = elector('a');
    await settle();
    server.before = outage;
    await clock.advance(5_500);
    server.before = () => undefined;
    await clock.advance(30_000);
    expect(a.tenures).toHaveLength(1);
    expect([...leaders]).toEqual(['a']);
    expect(a.errors).toHaveLength(4);
  });

  test('stops after seven seconds of outage, before another can lead, and leads again afterwards', async () => {
    const a = elector('a');
    await settle();
    server.before = outage;
    await clock.advance(6_999);
    expect(a.tenures[0]?.lost.aborted).toBe(false);
    await clock.advance(1);
    expect(a.tenures[0]?.lost).toMatchObject({ aborted: true, reason: { name: 'LeadershipLostError' } });
    await clock.advance(60_000);
    expect([...leaders]).toEqual([]);
    server.before = () => undefined;
    await clock.advance(5_000);
    expect([...leaders]).toEqual(['a']);
    expect(a.tenures).toHaveLength(2);
    expect(record()).toMatchObject({ leaseTransitions: 0 });
  });

  test('counts a renewal from when it was sent, for so do the others', async () => {
    const a = elector('a');
    await settle();
    server.before = () => clock.sleep(3000);
    await clock.advance(5000);
    server.before = outage;
    await clock.advance(3900);
    expect(a.tenures[0]?.lost.aborted).toBe(false);
    await clock.advance(200);
    expect(a.tenures[0]?.lost.aborted).toBe(true);
  });

  test('stops in time also when requests hang', async () => {
    const a = elector('a');
    await settle();
    server.before = (_, __, options) => {
      const { promise, reject } = Promise.withResolvers<void>();
      options?.signal?.addEventListener('abort', () => reject(new TransportError('aborted', 'given up')));
      return promise;
    };
    await clock.advance(7_000);
    expect(a.tenures[0]?.lost.aborted).toBe(true);
  });

  test('that does not end when told is not made leader a second time meanwhile', async () => {
    const a = elector('a');
    await settle();
    a.endingMs = 100_000;
    server.before = outage;
    await clock.advance(8_000);
    server.before = () => undefined;
    await clock.advance(60_000);
    expect(a.tenures).toHaveLength(1);
    await clock.advance(60_000);
    expect(a.tenures).toHaveLength(2);
  });

  test('keeps what somebody else writes into the object, and is not stopped by the conflict', async () => {
    const a = elector('a');
    await settle();
    server.save({ ...server.stored, metadata: { ...server.stored?.metadata, labels: { mine: 'x' } } });
    await clock.advance(10_000);
    expect(server.stored?.metadata?.labels).toEqual({ mine: 'x' });
    expect(a.tenures[0]?.lost.aborted).toBe(false);
    expect(a.errors).toEqual([]);
  });

  test('that finds another name in its lease stops at once', async () => {
    const a = elector('a');
    await settle();
    server.save({ ...server.stored, spec: { ...server.stored?.spec, holderIdentity: 'thief' } });
    await clock.advance(2_000);
    expect(a.tenures[0]?.lost.reason).toMatchObject({ message: expect.stringContaining('thief') });
    expect(a.holders).toEqual(['', 'a', 'thief']);
  });

  test('that was paused finds out when it asks, before any timer of its own', async () => {
    const a = elector('a');
    await settle();
    elector('b');
    a.paused = true;
    await clock.advance(20_000);
    expect(leaders).toContain('b');
    const tenure = a.tenures[0];
    expect(tenure?.lost.aborted).toBe(false);
    expect(() => tenure?.check()).toThrow(/could not be renewed within 7 s/);
    expect(tenure?.lost.aborted).toBe(true);
    expect(tenure?.signal.aborted).toBe(true);
    const written = server.writes.filter((write) => write.startsWith('a')).length;
    a.paused = false;
    await clock.advance(60_000);
    expect(server.writes.filter((write) => write.startsWith('a'))).toHaveLength(written);
    expect([...leaders]).toEqual(['b']);
    expect(a.tenures).toHaveLength(1);
  });

  test('that slept with its machine finds out by the wall clock', async () => {
    let awake = 0;
    const a = elector('a', { monotonic: () => awake });
    await settle();
    awake += 1;
    a.paused = true;
    await clock.advance(7_000);
    expect(() => a.tenures[0]?.check()).toThrow();
  });

  test('whose work fails gives the lease up and says why', async () => {
    const a = elector('a', { lead: () => Promise.reject(new Error('a defect')) });
    await expect(a.running).rejects.toThrow('a defect');
    expect(record()).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  test('whose work ends by itself gives the lease up and stands for no other election', async () => {
    const a = elector('a', { lead: () => Promise.resolve() });
    await a.running;
    await clock.advance(60_000);
    expect(record()).toMatchObject({ holderIdentity: '' });
    expect(server.writes).toEqual(['a create', 'a replace']);
  });
});

test('an outage while standing by is told, and does not end it', async () => {
  server.before = outage;
  const a = elector('a');
  await clock.advance(60_000);
  expect(a.errors.length).toBeGreaterThan(10);
  server.before = () => undefined;
  await clock.advance(5_000);
  expect([...leaders]).toEqual(['a']);
});

test('one that is stopped while it stands by leaves the lease alone', async () => {
  elector('a');
  await settle();
  const b = elector('b');
  await clock.advance(10_000);
  await b.stop();
  expect(server.writes.filter((write) => write.startsWith('b'))).toEqual([]);
});

test.each([{ renewDeadlineSeconds: 10 }, { renewDeadlineSeconds: 2 }, { retryPeriodSeconds: 6 }])(
  'times that cannot work are refused: %j',
  async (times) => {
    await expect(elector('a', times).running).rejects.toThrow(RangeError);
  },
);
