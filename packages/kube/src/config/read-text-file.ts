import { readFile } from 'node:fs/promises';
import { KubeconfigError, errorMessage } from '../errors.ts';

/** @throws KubeconfigError that names the file and what it is for */
export async function readTextFile(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new KubeconfigError(`cannot read ${path} (${what}): ${reasonOf(cause)}`, { cause });
  }
}

export const isMissingFile = (error: unknown): boolean =>
  error instanceof KubeconfigError &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  error.cause.code === 'ENOENT';

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'permission denied';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return errorMessage(cause);
  }
}
