import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What every image is made with. */
const common = [
  '.dockerignore',
  '.npmrc',
  'Containerfile',
  'LICENSE',
  'package.json',
  'package-lock.json',
  'packages/*/package.json',
  'packages/spillway/scripts',
];

/** Changes when something changes of which an image is made: its folders in the repository, or whatever else is given. */
export async function keyOf(root: string, folders: readonly string[], others: readonly string[]): Promise<string> {
  const listing = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...common, ...folders];
  const { stdout } = await run('git', listing, { cwd: root, maxBuffer: 2 ** 24 });
  const files = [...new Set(stdout.split('\0'))].filter((file) => file !== '' && !file.endsWith('.test.ts')).toSorted();
  const hash = createHash('sha256').update(JSON.stringify(others));
  for (const file of files) hash.update(`${file}\0`).update(await contentOf(path.join(root, file)));
  return hash.digest('hex').slice(0, 12);
}

/** Deleted files are listed until that is committed. */
async function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return Buffer.from('deleted');
    throw error;
  });
}
