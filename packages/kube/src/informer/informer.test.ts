import { fc, test } from '@fast-check/vitest';
import { describe, expect, onTestFinished } from 'vitest';
import { FakeCollection } from '../../test/fake-collection.ts';
import { histories } from '../../test/histories.ts';
import { settle, TestClock } from '../../test/test-clock.ts';
import { ApiError, TransportError } from '../errors.ts';
import type { ConfigMap } from '../generated/index.ts';
import { configMaps } from '../generated/resources.ts';
import { silentLogger } from '../logger.ts';
import { nameOf, resourceVersionOf, uidOf } from '../meta.ts';
import { Informer, type ReflectorOptions } from './informer.ts';

interface SetUp {
  readonly collection: FakeCollection;
  readonly clock: TestClock;
  readonly informer: Informer<ConfigMap>;
  /** "added a", in the order of delivery */
  readonly told: string[];
  readonly errors: unknown[];
  readonly stop: () => Promise<void>;
}

function setUp(
  options: Partial<ReflectorOptions<ConfigMap>> = {},
  prepare: (c: FakeCollection) => void = () => undefined,
): SetUp {
  const collection = new FakeCollection();
  prepare(collection);
  const clock = new TestClock();
  const told: string[] = [];
  const errors: unknown[] = [];
  const informer = new Informer<ConfigMap>({
    client: collection.client,
    type: configMaps,
    clock,
    random: () => 0,
    onError: (error) => errors.push(error),
    ...options,
  });
  informer.subscribe({
    added: (object) => told.push(`added ${nameOf(object)}`),
    changed: (old, object) => told.push(`changed ${nameOf(object)} ${old.data?.['data']} ${object.data?.['data']}`),
    deleted: (object) => told.push(`deleted ${nameOf(object)}`),
    synced: () => told.push('synced'),
  });
  const controller = new AbortController();
  const running = informer.run(controller.signal);
  const stop = async (): Promise<void> => {
    controller.abort();
    await running;
  };
  onTestFinished(stop);
  return { collection, clock, informer, told, errors, stop };
}

const ways: [string, (collection: FakeCollection) => void][] = [
  ['by a streamed list', () => undefined],
  ['in pages, from a server that streams no lists', (collection) => (collection.streamedLists = 'refused')],
];

describe.each(ways)('an informer that starts %s', (_, prepare) => {
  test('delivers what there is, says that it is complete, then follows changes', async () => {
    const { collection, informer, told, errors } = setUp({ pageSize: 2 }, (c) => {
      prepare(c);
      for (const name of ['a', 'b', 'c']) c.put(name);
    });
    await settle();
    await informer.synced;
    collection.put('a', '2');
    collection.remove('b');
    collection.put('d');
    await settle();
    expect(told).toEqual(['added a', 'added b', 'added c', 'synced', 'changed a  2', 'deleted b', 'added d']);
    expect(informer.store.list().map(nameOf).toSorted()).toEqual(['a', 'c', 'd']);
    expect(errors).toEqual([]);
    expect(collection.watchOptions.at(-1)).toMatchObject({ allowBookmarks: true, timeoutSeconds: 300 });
  });

  test('keeps once what an update does not change, and what others say alike', async () => {
    const { collection, informer } = setUp({}, (c) => {
      c.put('a', 'long ago');
      c.put('b', 'long ago');
    });
    await informer.synced;
    const before = informer.store.get('x', 'a');
    expect(informer.store.get('x', 'b')?.data).toBe(before?.data);
    collection.put('a', 'long ago');
    await settle();
    const after = informer.store.get('x', 'a');
    expect(after?.metadata?.resourceVersion).not.toBe(before?.metadata?.resourceVersion);
    expect(after?.data).toBe(before?.data);
  });

  test('is right after changes that happened while it could not watch', async () => {
    const { collection, clock, told } = setUp({ pageSize: 2 }, (c) => {
      prepare(c);
      for (const name of ['a', 'b', 'c']) c.put(name);
    });
    await settle();
    told.length = 0;
    const { lists, watches } = collection;
    collection.end();
    collection.remove('a');
    collection.put('a', 'reborn');
    collection.remove('b');
    await clock.advance(10_000);
    expect(told).toEqual(['deleted a', 'added a', 'deleted b']);
    // The history was still there: no new list, one new watch.
    expect([collection.lists, collection.watches]).toEqual([lists, watches + 1]);
  });

  test('lists again when the history is lost, and tells of what it missed', async () => {
    const { collection, clock, informer, told } = setUp({ pageSize: 2 }, (c) => {
      prepare(c);
      for (const name of ['a', 'b', 'c']) c.put(name);
    });
    await settle();
    told.length = 0;
    collection.end();
    collection.remove('a');
    collection.put('a', 'reborn');
    collection.remove('b');
    collection.put('c', 'changed');
    collection.compact();
    await clock.advance(20_000);
    expect(told.toSorted()).toEqual(['added a', 'changed c  changed', 'deleted a', 'deleted b']);
    expect(told.indexOf('deleted a')).toBeLessThan(told.indexOf('added a'));
    expect(new Set(informer.store.list().map(uidOf))).toEqual(new Set(collection.list().map(uidOf)));
  });

  test.each([0, 100])(
    'lists again after a lost connection, behind which etcd was restored and %d versions were made',
    async (versions) => {
      const { collection, clock, informer, told } = setUp({ pageSize: 2 }, (c) => {
        prepare(c);
        for (const name of ['a', 'b', 'c']) c.put(name);
      });
      await settle();
      const restore = collection.snapshot();
      collection.remove('a');
      collection.put('b', 'newer');
      collection.put('d');
      await settle();
      told.length = 0;
      collection.end(new TransportError('unreachable', 'lost'));
      restore();
      for (let made = 0; made < versions; made += 1) collection.elsewhere();
      await clock.advance(20_000);
      collection.put('c', 'afterwards');
      await settle();
      expect(told.toSorted()).toEqual(['added a', 'changed b newer ', 'changed c  afterwards', 'deleted d']);
      expect(informer.store.list().map(nameOf).toSorted()).toEqual(['a', 'b', 'c']);
    },
  );
});

describe('lists', () => {
  test('are told when they are complete, each of them: also when nothing has changed', async () => {
    const { clock, collection, informer } = setUp({}, (c) => c.put('a'));
    let listed = 0;
    informer.subscribe({ listed: () => (listed += 1) });
    await settle();
    expect(listed).toBe(1);
    collection.end(new TransportError('unreachable', 'lost'));
    await clock.advance(20_000);
    expect(listed).toBe(2);
  });

  test('whose pages expire while they are read are read again at once', async () => {
    const { collection, told } = setUp({ pageSize: 1, watchList: false }, (c) => {
      for (const name of ['a', 'b']) c.put(name);
      c.onPage = () => {
        c.put('c');
        c.compact();
        c.onPage = () => undefined;
      };
    });
    await settle();
    expect(told).toEqual(['added a', 'added b', 'added c', 'synced']);
    expect(collection.lists).toBe(3);
  });

  test('that somebody on the way swallows are replaced by pages', async () => {
    const { clock, told, errors } = setUp({}, (c) => {
      c.streamedLists = 'swallowed';
      c.put('a');
    });
    await clock.advance(300_000);
    expect(told).toEqual(['added a', 'synced']);
    expect(errors).toHaveLength(3);
    expect(errors[0]).toMatchObject({ kind: 'timeout' });
  });
});

const refused = new TransportError('unreachable', 'refused');

describe('failures', () => {
  test('are waited out with growing pauses, and reported', async () => {
    const { clock, told, errors } = setUp({}, (c) => c.failures.push(refused, refused, refused));
    const pauses: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      await settle();
      pauses.push(clock.nextMs);
      await clock.advance(clock.nextMs ?? 0);
    }
    expect(pauses).toEqual([800, 1_600, 3_200]);
    expect(errors).toHaveLength(3);
    expect(told).toEqual(['synced']);
  });

  test('that name a time are waited for that long', async () => {
    const throttled = new ApiError('slow down', { status: 429, retryAfterMs: 9_000 });
    const { clock, told } = setUp({}, (c) => c.failures.push(throttled));
    await clock.advance(8_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['synced']);
  });

  test('a server that ends watches at once is not asked in a tight loop', async () => {
    const { collection, clock } = setUp();
    await settle();
    for (let i = 0; i < 5; i++) {
      collection.end();
      await settle();
    }
    // The first had brought a list; the second was empty.
    expect(collection.watches).toBe(2);
    await clock.advance(800);
    expect(collection.watches).toBe(3);
  });

  test('a watch that went silent without a word is given up and made again', async () => {
    const { collection, clock, errors } = setUp();
    await clock.advance(100_000);
    collection.bookmark();
    await clock.advance(179_000);
    expect(errors).toEqual([]);
    await clock.advance(2_000);
    expect(errors).toMatchObject([
      { kind: 'timeout', message: 'configmaps: the watch is dead, nothing came for 180 s' },
    ]);
    await clock.advance(1_000);
    expect(collection.openWatches).toBe(1);
    expect(collection.watches).toBe(2);
  });

  test('what another cluster has, which answers at the same address, is not taken over', async () => {
    let same = true;
    const { collection, clock, told, errors } = setUp({ confirmCluster: async () => same }, (c) => c.put('a'));
    await settle();
    same = false;
    collection.end(new TransportError('unreachable', 'the connection was lost'));
    await settle();
    collection.remove('a');
    collection.put('b');
    await clock.advance(60_000);
    expect(errors.at(-1)).toMatchObject({
      message: 'configmaps: the API server answers for another cluster than before',
    });
    expect(told).toEqual(['added a', 'synced']);
    same = true;
    await clock.advance(60_000);
    expect(told).toEqual(['added a', 'synced', 'deleted a', 'added b']);
  });

  test.each(ways)('nor is what was read %s just when the address changed hands', async (how, prepare) => {
    // Nobody can stream lists before it was tried.
    const answers = how === ways[0]?.[0] ? [true, false] : [true, true, false];
    const { collection, clock, told } = setUp({ confirmCluster: async () => answers.shift() ?? true }, (c) => {
      prepare(c);
      c.put('theirs');
    });
    await settle();
    expect(told).toEqual([]);
    collection.remove('theirs');
    collection.put('ours');
    await clock.advance(60_000);
    expect(told).toEqual(['added ours', 'synced']);
  });

  test('etcd was restored between a list and the watch that follows it, which says nothing: listed again at its end', async () => {
    const { collection, clock, told } = setUp({}, (c) => {
      c.streamedLists = 'refused';
      const restore = c.snapshot();
      c.put('lost');
      // When it has been read.
      c.onPage = restore;
    });
    await settle();
    expect(told).toEqual(['added lost', 'synced']);
    await clock.advance(300_000);
    collection.end();
    await settle();
    expect(told).toEqual(['added lost', 'synced', 'deleted lost']);
  });

  test('is listed again at the end of a watch when that is wanted from time to time, whatever watches told', async () => {
    const { collection, clock } = setUp({ relistMs: 600_000 }, (c) => (c.streamedLists = 'refused'));
    await settle();
    const lists: number[] = [];
    for (let watch = 0; watch < 4; watch += 1) {
      for (let minute = 0; minute < 5; minute += 1) {
        await clock.advance(60_000);
        collection.bookmark();
      }
      collection.end();
      await settle();
      lists.push(collection.lists);
    }
    expect(lists).toEqual([1, 2, 2, 3]);
  });

  test('bookmarks keep a quiet watch on the server’s memory', async () => {
    const { collection, clock, told } = setUp();
    await settle();
    for (let i = 0; i < 5; i++) collection.elsewhere();
    collection.bookmark();
    collection.compact();
    await clock.advance(2_000);
    collection.end();
    await settle();
    expect(collection.watches).toBe(2);
    expect(collection.watchOptions.at(-1)).toMatchObject({ resourceVersion: String(collection.version) });
    expect(told).toEqual(['synced']);
  });
});

describe('handlers', () => {
  test('that come late get what is known; that left get nothing; that fail disturb nobody', async () => {
    const { collection, informer, told } = setUp({}, (c) => c.put('a'));
    await settle();
    const late: string[] = [];
    const failing = informer.subscribe({
      added: () => {
        throw new Error('a bug');
      },
    });
    const subscription = informer.subscribe({
      added: (object) => late.push(nameOf(object)),
      synced: () => late.push('synced'),
    });
    collection.put('b');
    await settle();
    subscription[Symbol.dispose]();
    failing[Symbol.dispose]();
    collection.put('c');
    await settle();
    expect(late).toEqual(['a', 'synced', 'b']);
    expect(told).toEqual(['added a', 'synced', 'added b', 'added c']);
  });

  test('that subscribe while something is delivered get each object once', async () => {
    const { collection, informer } = setUp();
    await settle();
    const inner: string[] = [];
    informer.subscribe({ added: () => void informer.subscribe({ added: (object) => inner.push(nameOf(object)) }) });
    collection.put('a');
    await settle();
    expect(inner).toEqual(['a']);
  });
});

test('objects are kept without managedFields and in the form that transform gives them', async () => {
  const { informer, collection } = setUp({
    transform: ({ metadata = {} }) => ({ metadata }),
    indexes: { byUid: uidOf },
  });
  await settle();
  collection.put('a', 'long');
  await settle();
  const [kept] = informer.store.byIndex('byUid', 'uid-1');
  expect(kept?.data).toBeUndefined();
  expect(kept?.metadata).not.toHaveProperty('managedFields');
});

test('stopping it closes the watch, before and after the first list', async () => {
  const early = setUp({}, (c) => (c.streamedLists = 'swallowed'));
  await settle();
  await early.stop();
  expect(early.collection.openWatches).toBe(0);
  expect(early.informer.hasSynced()).toBe(false);
  await expect(early.informer.synced).rejects.toMatchObject({ kind: 'aborted' });
  const late = setUp();
  await settle();
  await late.stop();
  expect(late.collection.openWatches).toBe(0);
  expect(late.informer.hasSynced()).toBe(true);
  await expect(late.informer.run(new AbortController().signal)).rejects.toThrow('started twice');
});

const change = fc.record({
  do: fc.constantFrom('put' as const, 'remove' as const),
  name: fc.constantFrom('a', 'b', 'c'),
});
const step = fc.oneof(
  { weight: 4, arbitrary: change },
  { weight: 2, arbitrary: fc.record({ outage: fc.array(change), forgotten: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 0, max: 200_000 }) }) },
  fc.record({ do: fc.constantFrom('bookmark' as const, 'elsewhere' as const, 'compact' as const, 'end' as const) }),
  fc.record({
    fail: fc.constantFrom(refused, ...[403, 410, 429, 500, 503].map((status) => new ApiError('no', { status }))),
  }),
);

test.prop(
  [fc.array(step, { maxLength: 40 }), fc.constantFrom('supported' as const, 'refused' as const), fc.boolean()],
  histories(100),
)(
  'whatever happens on the way, what handlers were told is a possible history and ends in the truth',
  async (steps, streamedLists, smallPages) => {
    const collection = new FakeCollection();
    collection.streamedLists = streamedLists;
    const clock = new TestClock();
    const wrong: unknown[] = [];
    const informer = new Informer<ConfigMap>({
      client: collection.client,
      type: configMaps,
      clock,
      pageSize: smallPages ? 1 : 500,
      logger: { ...silentLogger, error: (fields) => wrong.push(fields) },
    });
    const alive = new Map<string, ConfigMap>();
    informer.subscribe({
      added(object) {
        expect(alive.has(nameOf(object))).toBe(false);
        alive.set(nameOf(object), object);
      },
      changed(old, object) {
        expect(alive.get(nameOf(object))).toBe(old);
        expect(uidOf(object)).toBe(uidOf(old));
        expect(Number(resourceVersionOf(object))).toBeGreaterThan(Number(resourceVersionOf(old)));
        alive.set(nameOf(object), object);
      },
      deleted(object) {
        expect(uidOf(alive.get(nameOf(object)) ?? {})).toBe(uidOf(object));
        alive.delete(nameOf(object));
      },
    });
    const controller = new AbortController();
    const running = informer.run(controller.signal);
    const make = ({ do: what, name }: typeof change extends fc.Arbitrary<infer T> ? T : never): void =>
      what === 'put' ? collection.put(name) : collection.remove(name);
    for (const one of steps) {
      if ('name' in one) {
        make(one);
      } else if ('do' in one) {
        collection[one.do]();
      } else if ('wait' in one) {
        await clock.advance(one.wait);
      } else if ('fail' in one) {
        collection.failures.push(one.fail);
      } else {
        await settle();
        collection.end(new TransportError('protocol', 'cut off'));
        for (const unseen of one.outage) make(unseen);
        if (one.forgotten) collection.compact();
        await settle();
      }
    }
    // Longer than all failures with their pauses, and than a silent watch is believed.
    await clock.advance(2_000_000);
    const truth = collection.list().map((object) => [nameOf(object), uidOf(object), resourceVersionOf(object)]);
    const known = informer.store.list().map((object) => [nameOf(object), uidOf(object), resourceVersionOf(object)]);
    expect(new Set(known.map(String))).toEqual(new Set(truth.map(String)));
    expect(new Set(informer.store.list())).toEqual(new Set(alive.values()));
    // What handlers throw is logged.
    expect(wrong).toEqual([]);
    controller.abort();
    await running;
    expect(clock.sleeping).toBe(0);
  },
);
