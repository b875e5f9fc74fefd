import { mkdtemp, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../exec.ts';
import { tar, type TarEntry } from './tar.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-tar-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What the system's own tar makes of it. */
async function unpack(entries: readonly TarEntry[]): Promise<string> {
  const to = await mkdtemp(join(folder, 'out-'));
  await run('tar', ['-xf', '-', '-C', to], { input: tar(entries) });
  return to;
}

test('files keep their contents and modes, links their targets', async () => {
  const to = await unpack([
    { type: 'directory', path: 'bin', mode: 0o755 },
    { type: 'file', path: 'bin/tool', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
    { type: 'file', path: 'empty', mode: 0o600, content: Buffer.alloc(0) },
    { type: 'symlink', path: 'bin/alias', target: '/bin/tool' },
  ]);
  expect(await readFile(join(to, 'bin/tool'), 'utf8')).toBe('#!/bin/sh\n');
  expect((await stat(join(to, 'bin/tool'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(to, 'empty'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(to, 'empty'))).size).toBe(0);
  expect(await readlink(join(to, 'bin/alias'))).toBe('/bin/tool');
});

test('contents of any length come back as they were, whatever follows them', async () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 1100 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(contents, async (bytes) => {
      const entries = bytes.map((content, at): TarEntry => ({ type: 'file', path: `f${at}`, mode: 0o644, content }));
      const to = await unpack(entries);
      for (const [at, content] of bytes.entries()) {
        expect(Buffer.compare(await readFile(join(to, `f${at}`)), content)).toBe(0);
      }
    }),
    { numRuns: 15 },
  );
});

test('equal entries give equal bytes', () => {
  const entries: TarEntry[] = [{ type: 'file', path: 'a', mode: 0o644, content: Buffer.from('x') }];
  expect(tar(entries).equals(tar(entries))).toBe(true);
});

test('a path that does not fit the header is refused, not cut', () => {
  expect(() => tar([{ type: 'directory', path: 'x'.repeat(120), mode: 0o755 }])).toThrow(RangeError);
});
