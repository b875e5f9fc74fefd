import { chmod, lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeAtomically } from './atomic-writer.ts';

let volume: string;

beforeEach(async () => {
  volume = await mkdtemp(join(tmpdir(), 'spillway-volume-'));
});

afterEach(() => rm(volume, { recursive: true }));

const file = (path: string, content = path, mode = 0o644): { path: string; mode: number; content: Buffer } => ({
  path,
  mode,
  content: Buffer.from(content),
});

test('files are where the kubelet puts them: behind one link that is replaced in one step', async () => {
  await writeAtomically(volume, [file('a'), file('deep/er/b')]);
  expect(await readlink(join(volume, 'a'))).toBe('..data/a');
  expect(await readlink(join(volume, 'deep'))).toBe('..data/deep');
  expect(await readlink(join(volume, '..data'))).toMatch(/^\.\.\d{4}_/);
  expect(await readFile(join(volume, 'deep/er/b'), 'utf8')).toBe('deep/er/b');
});

test('modes are what was asked for, whatever the umask', async () => {
  const umask = process.umask(0o077);
  try {
    await writeAtomically(volume, [file('a', '', 0o666), file('d/b', '', 0o400)]);
  } finally {
    process.umask(umask);
  }
  const modes = await Promise.all(
    ['a', 'd/b', 'd', '..data'].map(async (path) => (await stat(join(volume, path))).mode & 0o777),
  );
  expect(modes).toEqual([0o666, 0o400, 0o755, 0o755]);
});

test('new files replace the old ones; what is not there any more disappears, and nothing else is left', async () => {
  await writeAtomically(volume, [file('stays', 'old'), file('goes')]);
  await writeAtomically(volume, [file('stays', 'new'), file('comes')]);
  const names = (await readdir(volume)).toSorted();
  expect(names.slice(-3)).toEqual([expect.stringMatching(/^\.\.(data|\d)/), 'comes', 'stays']);
  expect(names).toHaveLength(4);
  expect(await readFile(join(volume, 'stays'), 'utf8')).toBe('new');
});

test('an open file keeps its content while the volume changes', async () => {
  await writeAtomically(volume, [file('a', 'old')]);
  const before = join(volume, await readlink(join(volume, '..data')));
  await writeAtomically(volume, [file('a', 'new')]);
  await expect(lstat(before)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a write that a crash has cut off is repeated', async () => {
  await writeAtomically(volume, [file('a', 'old')]);
  await rm(join(volume, 'a'));
  await chmod(volume, 0o755);
  await writeAtomically(volume, [file('a', 'new')]);
  expect(await readFile(join(volume, 'a'), 'utf8')).toBe('new');
});
