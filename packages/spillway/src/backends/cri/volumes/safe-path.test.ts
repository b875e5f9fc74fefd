import { mkdir, mkdtemp, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openInside } from './safe-path.ts';

let folder: string;
let volume: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-subpath-'));
  volume = join(folder, 'volume');
  await mkdir(join(volume, 'dir/deep'), { recursive: true });
  await mkdir(join(folder, 'secret'));
  await writeFile(join(volume, 'dir/file'), '');
  await symlink('dir', join(volume, 'inner'));
  await symlink('../secret', join(volume, 'outer'));
  await symlink('/etc', join(volume, 'absolute'));
  await symlink('nowhere', join(volume, 'dangling'));
  await symlink(folder, join(volume, 'dir/up'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Where the handle leads, relative to the volume. */
async function open(subPath: string): Promise<string> {
  const handle = await openInside(volume, subPath);
  try {
    return relative(volume, await readlink(`/proc/self/fd/${handle.fd}`));
  } finally {
    await handle.close();
  }
}

describe('a part of a volume', () => {
  test.each([
    ['dir/file', 'dir/file'],
    ['dir//./deep', 'dir/deep'],
    ['inner/file', 'dir/file'],
    ['inner', 'dir'],
    ['.', ''],
  ])('%s is opened', async (subPath, place) => {
    expect(await open(subPath)).toBe(place);
  });

  test('that is missing is made, with the volume’s mode', async () => {
    expect(await open('new/folder')).toBe('new/folder');
    expect((await stat(join(volume, 'new/folder'))).mode).toBe((await stat(volume)).mode);
  });

  test.each(['outer', 'outer/x', 'absolute', 'absolute/passwd', 'dir/up', 'dir/up/secret', 'outer/new'])(
    '%s leaves it by a link and is refused',
    async (subPath) => {
      await expect(open(subPath)).rejects.toMatchObject({
        kind: 'invalid',
        message: expect.stringContaining('leaves its volume'),
      });
    },
  );

  test.each(['..', '../secret', 'dir/../../secret', '/etc', 'a\0b'])('%j is refused at once', async (subPath) => {
    await expect(open(subPath)).rejects.toMatchObject({ kind: 'invalid' });
  });

  test.each(['dangling', 'dangling/x', 'dir/file/x'])(
    '%s is an error, and nothing is made outside',
    async (subPath) => {
      await expect(open(subPath)).rejects.toThrow();
      await expect(stat(join(volume, 'nowhere'))).rejects.toThrow();
    },
  );

  const names = fc.constantFrom(
    'dir',
    'deep',
    'inner',
    'outer',
    'absolute',
    'dangling',
    'up',
    '..',
    '.',
    '',
    'fresh',
    'file',
  );
  property.prop([fc.array(names, { maxLength: 6 })], { numRuns: 300 })('never leads anywhere else', async (parts) => {
    const place = await open(parts.join('/')).catch(() => undefined);
    if (place !== undefined) expect(place).not.toMatch(/^(\.\.|\/)/);
  });
});
