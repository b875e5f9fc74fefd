import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { binary } from './catalogue.ts';
import { BinaryStore } from './store.ts';

const etcd = binary('etcd');
let root: string;
let store: BinaryStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spillway-store-'));
  await mkdir(join(root, 'tools/etcd'), { recursive: true });
  await writeFile(join(root, 'tools/etcd/go.mod'), 'module a\n');
  store = new BinaryStore(join(root, 'cache'), join(root, 'tools'));
});
afterEach(() => rm(root, { recursive: true }));

const make = (text: string) => (path: string) => writeFile(path, text);

test('what was put in is found, and can be run', async () => {
  expect(await store.find(etcd, true)).toBeUndefined();
  const path = await store.put(etcd, 'test', make('etcd'));
  expect(await store.find(etcd, false)).toBe(path);
  expect(await store.find(etcd, true)).toBe(path);
  expect((await stat(path)).mode & 0o111).toBe(0o111);
});

test('a program that was interrupted half-way is not there, and leaves nothing behind', async () => {
  const half = store.put(etcd, 'test', async (path) => {
    await writeFile(path, 'half');
    throw new Error('interrupted');
  });
  await expect(half).rejects.toThrow('interrupted');
  expect(await store.find(etcd, true)).toBeUndefined();
  expect(await readdir(join(root, 'cache/tmp'))).toEqual([]);
});

test('a damaged program is not used: by its size at once, by its contents when its time has changed', async () => {
  const path = await store.put(etcd, 'test', make('etcd'));
  await writeFile(path, 'etcd with more');
  expect(await store.find(etcd, false)).toBeUndefined();
  await writeFile(path, 'ETCD');
  await utimes(path, 1, 1);
  expect(await store.find(etcd, false)).toBeUndefined();
});

test('a program without its receipt is not used', async () => {
  const path = await store.put(etcd, 'test', make('etcd'));
  await rm(`${path}.json`);
  expect(await store.find(etcd, false)).toBeUndefined();
});

test('other pinned modules or flags make another program', async () => {
  const path = await store.path(etcd);
  expect(await store.path({ ...etcd, ldflags: '' })).not.toBe(path);
  await writeFile(join(root, 'tools/etcd/go.mod'), 'module b\n');
  expect(dirname(await store.path(etcd))).not.toBe(dirname(path));
});
