import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { histories } from '../../test/histories.ts';
import { settle, TestClock } from '../../test/test-clock.ts';
import { exponentialRateLimiter } from './rate-limiter.ts';
import { WorkQueue } from './work-queue.ts';

function setUp(): { queue: WorkQueue<string>; clock: TestClock } {
  const clock = new TestClock();
  const rateLimiter = exponentialRateLimiter<string>({ firstMs: 10, maxMs: 1_000 });
  return { queue: new WorkQueue({ clock, rateLimiter }), clock };
}

describe('a key', () => {
  test('that is added several times is worked on once', async () => {
    const { queue } = setUp();
    for (const key of ['a', 'b', 'a']) queue.add(key);
    expect(queue.length).toBe(2);
    expect([await queue.get(), await queue.get()]).toEqual(['a', 'b']);
  });

  test('that is added while it is worked on comes again when its worker is done', async () => {
    const { queue } = setUp();
    queue.add('a');
    await queue.get();
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await queue.get()).toBe('a');
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  test('goes straight to a worker that waits for one', async () => {
    const { queue } = setUp();
    const first = queue.get();
    const second = queue.get();
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  test('that is to come later comes at the earlier of two times', async () => {
    const { queue, clock } = setUp();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    await clock.advance(99);
    expect(queue.length).toBe(0);
    await clock.advance(1);
    expect(queue.length).toBe(1);
    await queue.get();
    queue.done('a');
    await clock.advance(1_000);
    expect(queue.length).toBe(0);
  });

  test('that fails comes back later and later, until it is forgotten', async () => {
    const { queue, clock } = setUp();
    for (const ms of [10, 20, 40]) {
      queue.addRateLimited('a');
      await clock.advance(ms - 1);
      expect(queue.length).toBe(0);
      await clock.advance(1);
      queue.done((await queue.get()) ?? '');
    }
    expect(queue.tries('a')).toBe(3);
    queue.forget('a');
    expect(queue.tries('a')).toBe(0);
  });
});

describe('shutting down', () => {
  test('lets what is queued be finished, and tells idle workers to go', async () => {
    const { queue, clock } = setUp();
    queue.add('a');
    queue.addAfter('later', 1);
    queue.shutDown();
    queue.add('b');
    queue.addAfter('c', 0);
    expect(await queue.get()).toBe('a');
    expect(await queue.get()).toBeUndefined();
    await clock.advance(10);
    expect(queue.length).toBe(0);
    const { queue: idle } = setUp();
    const waiting = idle.get();
    idle.shutDown();
    expect(await waiting).toBeUndefined();
  });

  test('can be waited for until the last worker is done', async () => {
    const { queue } = setUp();
    queue.add('a');
    queue.add('b');
    await queue.get();
    let drained = false;
    const draining = queue.shutDownWithDrain().then(() => (drained = true));
    queue.done('a');
    await settle();
    expect(drained).toBe(false);
    queue.done((await queue.get()) ?? '');
    await draining;
    await setUp().queue.shutDownWithDrain();
  });
});

test('a worker that gives up waiting loses no key', async () => {
  const { queue } = setUp();
  const impatient = new AbortController();
  const gone = queue.get(impatient.signal);
  impatient.abort();
  queue.add('a');
  expect(await gone).toBeUndefined();
  expect(await queue.get()).toBe('a');
  expect(await queue.get(impatient.signal)).toBeUndefined();
});

/** What the queue must look like from outside: which keys wait, which are being worked on, which are to come when. */
interface Model {
  waiting: string[];
  readonly again: Set<string>;
  readonly working: Set<string>;
  readonly later: Map<string, number>;
  now: number;
}

interface Real {
  readonly queue: WorkQueue<string>;
  readonly clock: TestClock;
}

function arrive(model: Model, key: string): void {
  if (model.working.has(key)) model.again.add(key);
  else if (!model.waiting.includes(key)) model.waiting.push(key);
}

class Add implements fc.AsyncCommand<Model, Real> {
  readonly key: string;
  constructor(key: string) {
    this.key = key;
  }
  check = (): boolean => true;
  async run(model: Model, { queue }: Real): Promise<void> {
    queue.add(this.key);
    arrive(model, this.key);
    expect(queue.length).toBe(model.waiting.length);
  }
  toString = (): string => `add(${this.key})`;
}

class AddAfter implements fc.AsyncCommand<Model, Real> {
  readonly key: string;
  readonly ms: number;
  constructor(key: string, ms: number) {
    this.key = key;
    this.ms = ms;
  }
  check = (): boolean => true;
  async run(model: Model, { queue }: Real): Promise<void> {
    queue.addAfter(this.key, this.ms);
    model.later.set(this.key, Math.min(model.now + this.ms, model.later.get(this.key) ?? Number.POSITIVE_INFINITY));
  }
  toString = (): string => `addAfter(${this.key}, ${this.ms})`;
}

class Pass implements fc.AsyncCommand<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = (): boolean => true;
  async run(model: Model, { queue, clock }: Real): Promise<void> {
    await clock.advance(this.ms);
    model.now += this.ms;
    const due = [...model.later].filter(([, at]) => at <= model.now);
    for (const [key] of due.toSorted(([, a], [, b]) => a - b)) {
      model.later.delete(key);
      arrive(model, key);
    }
    expect(queue.length).toBe(model.waiting.length);
  }
  toString = (): string => `pass(${this.ms})`;
}

class Get implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>): boolean => model.waiting.length > 0;
  async run(model: Model, { queue }: Real): Promise<void> {
    const key = (await queue.get()) ?? '';
    // Those that became due at the same moment have no order among themselves.
    expect(model.waiting).toContain(key);
    expect(model.working.has(key)).toBe(false);
    model.waiting = model.waiting.filter((other) => other !== key);
    model.working.add(key);
  }
  toString = (): string => 'get()';
}

class Done implements fc.AsyncCommand<Model, Real> {
  check = (model: Readonly<Model>): boolean => model.working.size > 0;
  async run(model: Model, { queue }: Real): Promise<void> {
    const [key = ''] = model.working;
    queue.done(key);
    model.working.delete(key);
    if (model.again.delete(key)) model.waiting.push(key);
    expect(queue.length).toBe(model.waiting.length);
  }
  toString = (): string => 'done()';
}

const key = fc.constantFrom('a', 'b', 'c', 'd');
const commands = [
  key.map((one) => new Add(one)),
  fc.tuple(key, fc.integer({ min: 1, max: 50 })).map(([one, ms]) => new AddAfter(one, ms)),
  fc.integer({ min: 1, max: 40 }).map((ms) => new Pass(ms)),
  fc.constant(new Get()),
  fc.constant(new Done()),
];

test.prop([fc.commands(commands, { maxCommands: 60, size: 'max' })], histories(100))(
  'no key is lost, doubled or with two workers, whatever the order of calls',
  async (cmds) => {
    await fc.asyncModelRun(
      () => ({
        model: { waiting: [], again: new Set<string>(), working: new Set<string>(), later: new Map(), now: 0 },
        real: setUp(),
      }),
      cmds,
    );
  },
);
