import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { BackendError } from '../../backend.ts';
import { environmentFields, environmentNames, type Login, loginFields, loginOf } from './login.ts';

export interface LoginSource {
  /** For messages */
  readonly about: string;
  /** As it is now. @throws BackendError "unauthorized" */
  read(): Promise<Login>;
}

export function environmentLogin(environment: Readonly<Record<string, string | undefined>>): LoginSource {
  const about = `the environment (${environmentNames.accessKey}, ${environmentNames.secretKey}, …)`;
  const read = async (): Promise<Login> => loginOf(environmentFields(environment), about);
  return { about, read };
}

/** A YAML or JSON file with the fields of a login, or a folder with a file for each, as Kubernetes mounts a Secret. */
export function fileLogin(path: string): LoginSource {
  return { about: path, read: async () => loginOf(loginFields(await readValues(path)), path) };
}

async function readValues(path: string): Promise<Record<string, unknown>> {
  try {
    if ((await stat(path)).isDirectory()) return await readFolder(path);
    const value: unknown = parse(await readFile(path, 'utf8'), { prettyErrors: false });
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    // Messages of a parser quote the file, so they are not passed on.
    const why =
      code === 'ENOENT' ? 'it does not exist' : code === 'EACCES' ? 'permission denied' : 'it is not valid YAML';
    throw new BackendError('unauthorized', `cannot read the credentials for CCI in ${basename(path)}: ${why}`, {
      remedy: `Check ${path}`,
    });
  }
}

async function readFolder(folder: string): Promise<Record<string, unknown>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const values = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]));
  return Object.fromEntries(values);
}
