import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeWorkload } from '../testing/workloads.ts';
import { PodStore } from './pod-store.ts';

let folder: string;
let store: PodStore;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'spillway-store-')), 'state');
  store = new PodStore(folder);
  await store.prepare();
});

afterEach(() => rm(join(folder, '..'), { recursive: true }));

const intent = { acceptedAt: 5, podIPs: [] };

describe('the store of instances', () => {
  test('gives back what was stored, with what was asked since, and nothing after it was removed', async () => {
    const workload = makeWorkload({ image: 'busybox', spec: { containers: [{}] } });
    const { uid } = workload.ref;
    await store.create({ workload, intent });
    await store.writeIntent(uid, { ...intent, stopBy: 9 });
    expect(await store.list()).toEqual([uid]);
    expect(await new PodStore(folder).read(uid)).toEqual({ workload, intent: { ...intent, stopBy: 9 } });
    await mkdir(store.logDirectoryOf(workload.ref));
    await store.remove(workload.ref);
    expect([await store.list(), await readdir(join(folder, 'logs'))]).toEqual([[], []]);
  });

  test('keeps Secrets to its owner', async () => {
    const workload = makeWorkload({ image: 'busybox', spec: { containers: [{}] } });
    await store.create({ workload, intent });
    const file = join(store.directoryOf(workload.ref.uid), 'workload.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test('knows what was stored by halves', async () => {
    await mkdir(store.directoryOf('half'));
    await writeFile(join(store.directoryOf('half'), 'workload.json'), '{');
    expect(await store.read('half')).toBeUndefined();
    await store.discard('half');
    expect(await store.list()).toEqual([]);
  });

  test('says which instance cannot be read', async () => {
    await mkdir(store.directoryOf('broken'));
    for (const name of ['workload.json', 'intent.json']) await writeFile(join(store.directoryOf('broken'), name), '{');
    await expect(store.read('broken')).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining('broken'),
    });
  });

  test.each(['', '..', '../x', 'a/b', '/etc', '.hidden', 'a\0'])('takes no UID that is a path: %j', (uid) => {
    expect(() => store.directoryOf(uid)).toThrow('cannot be the name of a folder');
  });

  test('names log folders so that every file system takes them', () => {
    const ref = { uid: '12345678-1234-1234-1234-123456789012', namespace: 'n'.repeat(63), name: 'p'.repeat(253) };
    expect(store.logDirectoryOf(ref).slice(folder.length + '/logs/'.length).length).toBeLessThan(255);
  });
});
