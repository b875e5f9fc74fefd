import { expect, test } from 'vitest';
import { BackendError, type EndedInSilence } from '../backends/backend.ts';
import type { Heartbeat, Silence, SilentInstance } from '../backends/survey.ts';
import { endSilent, type DeadManOptions, type SilenceReport } from './dead-man.ts';

const patient = new AbortController().signal;
const seconds = (count: number): number => count * 1000;

/** A node with a clock that runs only when somebody waits, and what happens at which time. */
class Node implements Silence {
  nowMs = 0;
  heart: Heartbeat | undefined = { renewedMs: 0, beat: 'first', afterMs: seconds(100), everyMs: seconds(10) };
  there: SilentInstance[];
  readonly ended: string[] = [];
  readonly notes: EndedInSilence[] = [];
  readonly plans: { readonly atMs: number; readonly does: () => void }[] = [];
  failures: Error[] = [];

  constructor(...names: readonly string[]) {
    this.there = names.map((name) => Node.instance(name));
  }

  static instance(name: string, createdMs = 0): SilentInstance {
    return { name, uid: name, pod: { namespace: 'shop', name }, createdMs, ended: false };
  }

  beat(beat: string): void {
    if (this.heart) this.heart = { ...this.heart, beat, renewedMs: this.nowMs };
  }

  at(second: number, does: () => void): void {
    this.plans.push({ atMs: seconds(second), does });
  }

  wait(ms: number): void {
    this.nowMs += ms;
    for (const plan of this.plans.filter(({ atMs }) => atMs <= this.nowMs)) {
      this.plans.splice(this.plans.indexOf(plan), 1);
      plan.does();
    }
  }

  async heartbeat(): ReturnType<Silence['heartbeat']> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    return { nowMs: this.nowMs, ...(this.heart && { heartbeat: this.heart }) };
  }

  async instances(): Promise<readonly SilentInstance[]> {
    return this.there;
  }

  async end({ uid }: SilentInstance, graceSeconds: number): Promise<void> {
    this.ended.push(`${uid} ${graceSeconds}`);
    this.there = this.there.filter((each) => each.uid !== uid);
  }

  async note(ended: EndedInSilence): Promise<void> {
    this.notes.push(ended);
  }
}

async function run(node: Node, more: Partial<DeadManOptions> = {}): Promise<SilenceReport | undefined> {
  const clock = { now: () => node.nowMs, sleep: async (ms: number) => node.wait(ms) };
  const options = { dryRun: false, graceSeconds: 30, timeoutMs: 600_000, tell: () => {}, clock, ...more };
  const [report] = await endSilent([{ node: 'virtual', silence: node }], options, patient);
  return report;
}

test('before its time, nothing is ended', async () => {
  const node = new Node('web', 'db');
  node.wait(seconds(99));
  expect(await run(node)).toMatchObject({ state: 'alive', silentSeconds: 99, afterSeconds: 100 });
  expect([node.ended, node.nowMs]).toEqual([[], seconds(99)]);
});

test('after its time, all instances are ended, with their grace, and it is noted for who comes back', async () => {
  const node = new Node('web', 'db');
  node.wait(seconds(100));
  expect(await run(node)).toEqual({
    node: 'virtual',
    state: 'silent',
    silentSeconds: 100,
    afterSeconds: 100,
    ended: ['shop/web', 'shop/db'],
    remains: [],
  });
  expect(node.ended).toEqual(['web 30', 'db 30']);
  expect(node.notes).toEqual([
    { at: '1970-01-01T00:02:10.000Z', silentSince: '1970-01-01T00:00:00.000Z', instances: 2 },
  ]);
});

test('a heartbeat that comes while it is watched saves them, although it was overdue', async () => {
  const node = new Node('web');
  node.wait(seconds(1000));
  node.at(1029, () => node.beat('back'));
  expect(await run(node)).toMatchObject({ state: 'alive', ended: [] });
  expect([node.ended, node.notes]).toEqual([[], []]);
});

test('a heartbeat that is taken away while it is watched, as by an uninstallation, ends nothing', async () => {
  const node = new Node('web');
  node.wait(seconds(1000));
  node.at(1010, () => (node.heart = undefined));
  expect(await run(node)).toMatchObject({ state: 'alive' });
  expect(node.ended).toEqual([]);
});

test('an instance that is created while it is watched is a sign of life', async () => {
  const node = new Node('web');
  node.wait(seconds(1000));
  node.at(1010, () => node.there.push(Node.instance('new', node.nowMs)));
  expect(await run(node)).toMatchObject({ state: 'alive' });
  expect(node.ended).toEqual([]);
});

test('who comes back while instances are being ended keeps the rest', async () => {
  const node = new Node(...Array.from({ length: 50 }, (_, index) => `pod-${index}`));
  node.wait(seconds(100));
  const end = node.end.bind(node);
  node.end = async (instance, grace) => {
    await end(instance, grace);
    if (node.ended.length === 20) node.beat('back');
  };
  expect(await run(node)).toMatchObject({ state: 'silent', why: expect.stringContaining('the rest is left alone') });
  expect([node.ended.length, node.there.length]).toEqual([20, 30]);
});

test('an instance that appears while others are being ended stays, and so does what is left', async () => {
  const node = new Node('web', 'stubborn');
  node.wait(seconds(100));
  node.end = async () => {
    node.there = [Node.instance('stubborn'), Node.instance('new', node.nowMs)];
  };
  expect(await run(node)).toMatchObject({
    ended: ['shop/web'],
    remains: ['shop/stubborn'],
    why: expect.stringContaining('created meanwhile'),
  });
});

test('what does not end in its grace is ended at once', async () => {
  const node = new Node('stubborn');
  node.wait(seconds(100));
  const end = node.end.bind(node);
  const asked: number[] = [];
  node.end = async (instance, grace) => {
    asked.push(grace);
    if (grace === 0) await end(instance, grace);
  };
  expect(await run(node, { graceSeconds: 5 })).toMatchObject({ ended: ['shop/stubborn'] });
  expect(asked).toEqual([5, 0]);
});

test('without a heartbeat nothing is ended, and that is told', async () => {
  const node = new Node('web');
  node.heart = undefined;
  node.wait(seconds(1e6));
  expect(await run(node)).toEqual({ node: 'virtual', state: 'no-heartbeat', ended: [], remains: [] });
  expect(node.ended).toEqual([]);
});

test('what cannot be looked at is not silent', async () => {
  const node = new Node('web');
  node.wait(seconds(1e6));
  node.failures = [new BackendError('unavailable', 'no route')];
  expect(await run(node)).toMatchObject({ state: 'unknown', why: 'no route' });
  expect(node.ended).toEqual([]);
});

test('a look that fails while it is watched is repeated', async () => {
  const node = new Node('web');
  node.wait(seconds(100));
  node.at(110, () => node.failures.push(new BackendError('throttled', 'too many')));
  expect(await run(node)).toMatchObject({ state: 'silent', ended: ['shop/web'] });
});

test('a dry run ends nothing, and does not wait', async () => {
  const node = new Node('web');
  node.wait(seconds(100));
  expect(await run(node, { dryRun: true })).toMatchObject({ state: 'silent', ended: ['shop/web'] });
  expect([node.ended, node.nowMs]).toEqual([[], seconds(100)]);
});
