import { posix } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { volumePathError } from './volume-paths.ts';

test.each(['a', 'a/b', 'a/./b', '.hidden', 'a/..b', '…', 'a//b'])('%j may be used inside a volume', (path) => {
  expect(volumePathError(path)).toBeUndefined();
});

test.each(['', '/a', '..', '../a', 'a/../b', 'a/..', '..data', '..2026/x', './..data', 'a\0b', '.', './'])(
  '%j may not',
  (path) => {
    expect(volumePathError(path)).toMatch(/^invalid path: /);
  },
);

test('a path may not be longer than the file system allows', () => {
  expect(volumePathError('x'.repeat(255))).toBeUndefined();
  expect(volumePathError('x'.repeat(256))).toMatch(/^invalid path: /);
  expect(volumePathError('a/'.repeat(2100))).toMatch(/^invalid path: /);
});

test.prop([fc.array(fc.constantFrom('a', '..', '.', '', '..x', 'b c', '\0')).map((names) => names.join('/'))])(
  'what may be used stays inside, and out of the volume’s bookkeeping',
  (path) => {
    if (volumePathError(path) !== undefined) return;
    const resolved = posix.join('/volume', path);
    expect(resolved).toMatch(/^\/volume\/./);
    expect(resolved).not.toMatch(/^\/volume\/\.\./);
  },
);
