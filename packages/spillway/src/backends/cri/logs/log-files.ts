import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode } from '../../errno.ts';

/**
 * The files of one container's log, oldest first: what was rotated away (`0.log.20261123-050405.123`), then the current one
 * (`0.log`), if they are there.
 */
export async function logFiles(current: string): Promise<string[]> {
  const name = basename(current);
  const names = await readdir(dirname(current)).catch(ignoreMissing);
  const rotated = names.filter((each) => each.startsWith(`${name}.`)).toSorted();
  const present = names.includes(name) ? [...rotated, name] : rotated;
  return present.map((each) => join(dirname(current), each));
}

/** Where a file that is to be rotated away goes. */
export function rotatedName(current: string, now: Date): string {
  const [date = '', time = ''] = now.toISOString().split('T');
  return `${current}.${date.replaceAll('-', '')}-${time.replace('Z', '').replaceAll(':', '')}`;
}

export async function inodeOf(path: string): Promise<bigint | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found?.ino;
}

function ignoreMissing(error: unknown): string[] {
  if (hasErrorCode(error, 'ENOENT')) return [];
  throw error;
}
