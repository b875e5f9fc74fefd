import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseYaml, readText, UnreadableFileError } from '@spillway/kube';
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
    if (await isFolder(path)) return await readFolder(path);
    const [document] = parseYaml(await readText(path));
    return typeof document?.value === 'object' ? { ...document.value } : {};
  } catch (cause) {
    // Messages of a parser quote the file, so they are not passed on.
    const why = cause instanceof UnreadableFileError ? cause.message : 'it is not valid YAML';
    throw new BackendError('unauthorized', `cannot read the credentials for CCI in ${path}: ${why}`, {
      remedy: 'Correct credentials.file of the backend, or the file',
    });
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

async function readFolder(folder: string): Promise<Record<string, unknown>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const values = await Promise.all(names.map(async (name) => [name, await readText(join(folder, name))]));
  return Object.fromEntries(values);
}
