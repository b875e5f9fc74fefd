import { dirname, resolve } from 'node:path';
import { errorMessage, KubeconfigError } from '../errors.ts';
import { parseYaml } from './yaml.ts';

/** An entry with the file that it comes from: relative paths in it start there, and messages name it. */
export interface Entry {
  readonly name: string;
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The parts of one or several kubeconfig files that say how to connect. */
export interface Kubeconfig {
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
}

/** @throws KubeconfigError with the position in the file */
export function parseKubeconfig(text: string, file: string): Kubeconfig {
  const root = rootOf(text, file);
  if (!isRecord(root)) throw new KubeconfigError(`${file} is not a kubeconfig: it must be a mapping`);
  const current = root['current-context'];
  return {
    files: [file],
    currentContext: typeof current === 'string' && current !== '' ? current : undefined,
    clusters: entries(root, 'clusters', 'cluster', file),
    users: entries(root, 'users', 'user', file),
    contexts: entries(root, 'contexts', 'context', file),
  };
}

function rootOf(text: string, file: string): unknown {
  try {
    return parseYaml(text)[0]?.value ?? {};
  } catch (cause) {
    throw new KubeconfigError(`${file}: ${errorMessage(cause)}`, { cause });
  }
}

/** As kubectl does it: what is named first wins, and so does the first current context. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  const merged = (part: 'clusters' | 'users' | 'contexts'): Map<string, Entry> =>
    new Map(configs.toReversed().flatMap((config) => [...config[part]]));
  return {
    files: configs.flatMap((config) => config.files),
    currentContext: configs.find((config) => config.currentContext !== undefined)?.currentContext,
    clusters: merged('clusters'),
    users: merged('users'),
    contexts: merged('contexts'),
  };
}

function entries(root: Record<string, unknown>, list: string, field: string, file: string): Map<string, Entry> {
  const items = root[list] ?? [];
  if (!Array.isArray(items)) throw new KubeconfigError(`${file}: ${list} must be a list`);
  const found = new Map<string, Entry>();
  for (const [index, item] of items.entries()) {
    const where = `${list}[${index}]`;
    if (!isRecord(item)) throw new KubeconfigError(`${file}: ${where} must be a mapping with name and ${field}`);
    const { name } = item;
    if (typeof name !== 'string' || name === '') throw new KubeconfigError(`${file}: ${where} has no name`);
    const value = item[field] ?? {};
    if (!isRecord(value)) throw new KubeconfigError(`${file}: ${where}.${field} must be a mapping`);
    if (!found.has(name)) found.set(name, { name, file, value });
  }
  return found;
}

/** A text field of an entry; empty counts as absent, as in kubectl. */
export function stringField(entry: Entry, field: string): string | undefined {
  const value = entry.value[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new KubeconfigError(`${entry.file}: ${field} of "${entry.name}" must be a string`);
}

/** A field that names a file, as an absolute path. */
export function pathField(entry: Entry, field: string): string | undefined {
  const value = stringField(entry, field);
  return value === undefined ? undefined : resolve(dirname(entry.file), value);
}

/** A `…-data` field: PEM in base64. */
export function pemField(entry: Entry, field: string): string | undefined {
  const value = stringField(entry, field);
  if (value === undefined) return undefined;
  const pem = Buffer.from(value, 'base64').toString('utf8');
  if (pem.includes('-----BEGIN ')) return pem;
  throw new KubeconfigError(`${entry.file}: ${field} of "${entry.name}" must be a PEM file encoded in base64`);
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
