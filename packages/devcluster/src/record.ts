import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BinaryPaths } from './binaries/resolve.ts';
import { DevClusterError, errorCode } from './errors.ts';
import type { ProcessIdentity } from './host/processes.ts';
import type { Sysctls } from './host/sysctls.ts';
import { parseJson } from './json.ts';
import type { Ports } from './network/ports.ts';
import type { ResolvedOptions } from './options.ts';

/**
 * What is written down about a cluster before anything of it exists, so that all of it can be found and removed by any
 * later process, whatever happened to those that made it.
 */
export interface ClusterRecord {
  readonly version: 1;
  readonly name: string;
  readonly dir: string;
  /** Unique name of the cluster's network namespace and cgroup, and the mark in the environment of its processes. */
  readonly scope: string;
  /** False: everything runs on the host's network, on loopback, without containers. */
  readonly ownNetwork: boolean;
  readonly createdAt: string;
  readonly options: ResolvedOptions;
  readonly binaries: BinaryPaths;
  /** The machine's settings as they were before the first of the clusters that run now; absent without a node. */
  readonly sysctls?: Sysctls;
  /** The process that makes the cluster; it counts until there is a supervisor. */
  readonly starter: ProcessIdentity;
  readonly supervisor?: ProcessIdentity;
  /** Set once the network is there. */
  readonly network?: { readonly nodeAddress: string; readonly hostAddress: string; readonly ports: Ports };
  readonly readyAt?: string;
}

const fileName = 'cluster.json';
const environmentVariable = 'SPILLWAY_DEVCLUSTER';

export function newScope(name: string): string {
  return `spillway-${name}-${randomBytes(2).toString('hex')}`;
}

/** What every process of the cluster has in its environment. */
export function environmentMark(record: ClusterRecord): { readonly name: string; readonly value: string } {
  return { name: environmentVariable, value: record.scope };
}

/** Claims the cluster's folder: of several that try, one succeeds. Rejects with `exists` when it is taken. */
export async function claim(record: ClusterRecord): Promise<void> {
  const draft = `${record.dir}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    await writeRecord(record, draft);
    await rename(draft, record.dir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const code = errorCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    throw new DevClusterError(
      'exists',
      `cluster "${record.name}" is already there. Use another name, or remove it: spillway dev down ${record.name}`,
      { cause: error },
    );
  }
}

export async function writeRecord(record: ClusterRecord, dir: string = record.dir): Promise<void> {
  const path = join(dir, fileName);
  await writeFile(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Undefined when there is no such cluster. */
export async function readRecord(dir: string): Promise<ClusterRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, fileName), 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const record = parseJson<ClusterRecord>(text);
  if (record.version !== 1) {
    throw new DevClusterError(
      'invalid',
      `${join(dir, fileName)} was written by another version of devcluster; use that one`,
    );
  }
  return record;
}

export async function readRecords(clustersDir: string): Promise<ClusterRecord[]> {
  let names: string[];
  try {
    names = await readdir(clustersDir);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const records = await Promise.all(
    // A dot is in the names of drafts only.
    names
      .filter((name) => !name.includes('.'))
      .toSorted()
      .map((name) => readRecord(join(clustersDir, name))),
  );
  return records.filter((record) => record !== undefined);
}
