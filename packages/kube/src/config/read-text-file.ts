import { readFile } from 'node:fs/promises';
import { KubeconfigError, errorMessage } from '../errors.ts';

/** A file cannot be read. The message says why and not which: it stands behind the file's name. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError';

  get isMissing(): boolean {
    return codeOf(this.cause) === 'ENOENT';
  }
}

/** @throws UnreadableFileError */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new UnreadableFileError(whyUnreadable(cause), { cause });
  }
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Said below.
  }
  throw new UnreadableFileError('it is not a text file in UTF-8');
}

/** @throws KubeconfigError that names the file and what it is for */
export async function readTextFile(path: string, what: string): Promise<string> {
  try {
    return await readText(path);
  } catch (cause) {
    throw new KubeconfigError(`cannot read ${path} (${what}): ${errorMessage(cause)}`, { cause });
  }
}

export const isMissingFile = (error: unknown): boolean =>
  error instanceof KubeconfigError && error.cause instanceof UnreadableFileError && error.cause.isMissing;

/** What an error of the file system says of a file, to stand behind its name. */
export function whyUnreadable(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'ENOENT':
      return 'there is no such file';
    case 'ENOTDIR':
      return 'part of its path is not a directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    case 'ELOOP':
      return 'its symbolic links lead in a circle';
    case 'ENAMETOOLONG':
      return 'its name is too long';
    default:
      return errorMessage(cause);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
