import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { secondsIn } from './seconds.ts';

test('the page about the tests says how long their files take', () => {
  const page =
    '| file | tests | seconds |\n|---|--:|--:|\n| spillway/test/demo | 1 | 107 |\n| 8 more files | 70 | 89 |\n';
  expect(secondsIn(page)).toEqual(new Map([['packages/spillway/test/demo.integration.test.ts', 107]]));
});

test('the page of this repository names files that there are', async () => {
  const root = path.join(import.meta.dirname, '../../..');
  const known = secondsIn(await readFile(path.join(root, 'docs/development.md'), 'utf8'));
  expect(known.size).toBeGreaterThan(30);
  for (const file of known.keys()) await expect(readFile(path.join(root, file), 'utf8')).resolves.not.toBe('');
});
