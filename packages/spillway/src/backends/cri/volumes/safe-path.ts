import { constants, type BigIntStats } from 'node:fs';
import { mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BackendError } from '../../backend.ts';
import { hasErrorCode } from '../../errno.ts';

/** Linux's O_PATH: a handle on the place, not on the content. Node has no name for it. */
const O_PATH = 0o10000000;

/**
 * Opens a `subPath` of a volume without ever leaving the volume, whatever symbolic links its containers plant, also while we
 * look: links are resolved first and must end inside; then every part is opened below the one before, and a link among them
 * is an error. Folders that are missing are made with the volume's mode, as the kubelet does. The caller closes the handle.
 */
export async function openInside(volume: string, subPath: string): Promise<FileHandle> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..') || subPath.includes('\0')) {
    throw new BackendError('invalid', `subPath "${subPath}" must be a relative path without ".."`);
  }
  const root = await realpath(volume);
  const resolved = await realpath(join(root, subPath)).catch(() => undefined);
  const inside = resolved === undefined ? undefined : relative(root, resolved);
  if (inside === '..' || inside?.startsWith('../')) throw escaped(subPath);
  return await walk(
    root,
    (inside ?? subPath).split('/').filter((name) => name !== '' && name !== '.'),
    subPath,
  );
}

async function walk(root: string, names: readonly string[], subPath: string): Promise<FileHandle> {
  let handle = await open(root, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { mode } = await handle.stat();
  for (const name of names) {
    const parent = handle;
    try {
      handle = await openChild(parent, name, mode & 0o7777);
    } finally {
      await parent.close();
    }
    const isLink = (await handle.stat()).isSymbolicLink();
    if (isLink) {
      await handle.close();
      throw escaped(subPath);
    }
  }
  return handle;
}

async function openChild(parent: FileHandle, name: string, mode: number): Promise<FileHandle> {
  // Through the handle, so that nobody can swap the folder that is meant.
  const path = join(`/proc/self/fd/${parent.fd}`, name);
  const flags = O_PATH | constants.O_NOFOLLOW;
  try {
    return await open(path, flags);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  const { gid } = await parent.stat();
  await mkdir(path).catch(ignoreExisting);
  const made = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if ((await made.stat()).gid !== gid) await made.chown(-1, gid);
    await made.chmod(mode);
  } finally {
    await made.close();
  }
  return await open(path, flags);
}

/** Whether two handles or files are the same thing on disk. */
export function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

function escaped(subPath: string): BackendError {
  return new BackendError('invalid', `subPath "${subPath}" leaves its volume by a symbolic link`);
}

function ignoreExisting(error: unknown): void {
  if (!hasErrorCode(error, 'EEXIST')) throw error;
}
