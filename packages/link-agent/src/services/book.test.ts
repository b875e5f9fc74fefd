import { beforeEach, describe, expect, test } from 'vitest';
import type { LinkService, ServiceName } from '../protocol/messages.ts';
import { Book } from './book.ts';

const service = (name: string): LinkService => ({ namespace: 'shop', name, kind: 'clusterIP', ports: [], groups: [] });

let followed: string[];
let changes: string[];
let nowMs: number;
let inUse: Set<string>;
let isLinked: boolean;
let book: Book;

beforeEach(() => {
  [followed, changes, nowMs, inUse, isLinked] = [[], [], 0, new Set(), true];
  const written = ([, name]: ServiceName, sign: string): number => followed.push(`${sign}${name}`);
  book = new Book({
    follow: (name) => written(name, '+'),
    unfollow: (name) => written(name, '-'),
    onChange: (key, now) => changes.push(`${key} ${now ? 'is' : 'gone'}`),
    isInUse: (key) => inUse.has(key),
    isLinked: () => isLinked,
    now: () => nowMs,
    maxNames: 3,
  });
});

async function learn(name: string): Promise<LinkService | 'absent' | undefined> {
  const found = book.find('shop', name);
  book.apply({ service: service(name) });
  return await found;
}

describe('a name', () => {
  test('is asked for once, and all who ask meanwhile get the answer', async () => {
    const both = Promise.all([book.find('shop', 'web'), book.find('shop', 'web')]);
    expect(followed).toEqual(['+web']);
    book.apply({ service: service('web') });
    expect(await both).toEqual([service('web'), service('web')]);
    expect(await book.find('shop', 'web')).toEqual(service('web'));
    expect(followed).toEqual(['+web']);
  });

  test('that does not exist is followed, too: it may come', async () => {
    const found = book.find('shop', 'web');
    book.apply({ absent: ['shop', 'web'] });
    expect(await found).toBe('absent');
    book.apply({ service: service('web') });
    expect(await book.find('shop', 'web')).toEqual(service('web'));
  });

  test('goes on being known while nobody tells of it', async () => {
    await learn('web');
    nowMs = 300_000;
    book.tidy();
    expect(await book.find('shop', 'web')).toEqual(service('web'));
    expect(book.names).toEqual([['shop', 'web']]);
  });

  test('that nobody asks for is forgotten, one that does not exist sooner, one in use never', async () => {
    await learn('web');
    await learn('db');
    const none = book.find('shop', 'none');
    book.apply({ absent: ['shop', 'none'] });
    await none;
    inUse.add('shop/db');
    nowMs = 60_001;
    book.tidy();
    expect(followed).toEqual(['+web', '+db', '+none', '-none']);
    nowMs = 600_001;
    book.tidy();
    expect(followed.slice(4)).toEqual(['-web']);
    expect(changes).toEqual(['shop/web is', 'shop/db is', 'shop/web gone']);
  });

  test('is not forgotten while nobody could tell it again', async () => {
    await learn('web');
    nowMs = 600_001;
    isLinked = false;
    book.tidy();
    expect(book.names).toEqual([['shop', 'web']]);
    isLinked = true;
    book.tidy();
    expect(book.names).toEqual([]);
  });

  test('longer than any object has is nobody asked for', async () => {
    expect(await book.find('shop', 'x'.repeat(64))).toBe('absent');
    expect(followed).toEqual([]);
  });
});

test('with as many names as there may be the one that was not asked for the longest makes room', async () => {
  for (const name of ['a', 'b', 'c', 'a', 'd']) await learn(name);
  expect(followed).toEqual(['+a', '+b', '+c', '-b', '+d']);
  inUse = new Set(['shop/a', 'shop/c', 'shop/d']);
  expect(await book.find('shop', 'e')).toBeUndefined();
});

test('a Service that goes is told, and one that nobody knows is ignored', async () => {
  await learn('web');
  book.apply({ absent: ['shop', 'web'] });
  book.apply({ service: service('strange') });
  expect(changes).toEqual(['shop/web is', 'shop/web gone']);
});
