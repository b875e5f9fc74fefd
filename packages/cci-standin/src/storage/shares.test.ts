import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderAt, type Share, Shares } from './shares.ts';

let dir: string;
let shares: Shares;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shares-'));
  shares = new Shares(dir, 'cn-north-4');
});
afterEach(() => rm(dir, { recursive: true }));

test('a file system is a folder into which everybody may write, until it is deleted with what is in it', async () => {
  const share = await shares.create('sfs', 'p1');
  expect((await stat(share.folder)).mode & 0o777).toBe(0o777);
  await writeFile(join(share.folder, 'data'), 'x');
  await shares.delete(share.id);
  expect(await readdir(dir)).toEqual([]);
  expect(shares.read()).toEqual([{ share, history: [{ what: 'created' }, { what: 'deleted' }] }]);
});

test('it is found by its kind and its ID, by its owner, as long as it is there', async () => {
  const share = await shares.create('sfs-turbo', 'p1');
  expect(shares.find('sfs-turbo', share.id, 'p1')).toBe(share);
  expect(shares.find('sfs', share.id, 'p1')).toBeUndefined();
  expect(shares.find('sfs-turbo', share.id, 'p2')).toBeUndefined();
  expect(shares.find('sfs-turbo', 'other', 'p1')).toBeUndefined();
  await shares.delete(share.id);
  shares.tell(share.id, { what: 'released', volume: 'v' });
  expect(shares.find('sfs-turbo', share.id, 'p1')).toBeUndefined();
});

const common = { id: 'v1', projectId: 'p1', folder: '/f' };
const turbo: Share = { ...common, kind: 'sfs-turbo', exportLocation: '1a2b.sfsturbo.internal:/' };
const sfs: Share = { ...common, kind: 'sfs', exportLocation: 'sfs-nas01:/share-1' };

test.each([
  [sfs, 'sfs-nas01:/share-1', '/f'],
  [sfs, 'sfs-nas01:/share-1/', '/f'],
  [sfs, 'sfs-nas01:/share-1/part', undefined],
  [sfs, 'sfs-nas01:/share-12', undefined],
  [turbo, '1a2b.sfsturbo.internal:/', '/f'],
  [turbo, '1a2b.sfsturbo.internal:/apps/web', '/f/apps/web'],
  [turbo, '1a2b.sfsturbo.internal:/apps/../../etc', undefined],
  [turbo, 'other.sfsturbo.internal:/', undefined],
])('%j at %s is %s', (share, location, folder) => {
  expect(folderAt(share, location)).toBe(folder);
});
