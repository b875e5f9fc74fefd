import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { currentEnvironment, type Environment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { isAlive, kill } from '../host/processes.ts';
import { withLock } from '../lock.ts';
import { checkName } from '../options.ts';
import { readRecord, readRecords, type ClusterRecord } from '../record.ts';
import { cleanUp } from './cleanup.ts';

export interface DownOptions {
  readonly environment?: Environment;
  /** Only the cluster with this scope; a later one of the same name stays. */
  readonly scope?: string;
}

/** Takes a cluster down and returns when nothing of it is left. False: there was none of that name. */
export async function downCluster(name: string, options: DownOptions = {}): Promise<boolean> {
  checkName(name);
  const environment = options.environment ?? currentEnvironment();
  const dir = join(environment.clustersDir, name);
  const find = async (): Promise<ClusterRecord | undefined> => {
    const record = await readRecord(dir);
    return options.scope === undefined || record?.scope === options.scope ? record : undefined;
  };
  let found = false;
  for (let record = await find(); record !== undefined; record = await find()) {
    found = true;
    if (await isAlive(record.supervisor)) {
      if (record.supervisor) kill(record.supervisor.pid, 'SIGTERM');
      await untilSupervisorEnds(record);
    } else if (await isHeld(record)) {
      // Its starter has not got to start the supervisor yet.
      await delay(50);
      continue;
    }
    await removeIfAbandoned(record);
  }
  return found;
}

/** Removes what is left of clusters whose supervisor was killed. Every call that looks at clusters does this first. */
export async function removeAbandoned(environment: Environment, log: (line: string) => void): Promise<void> {
  for (const record of await readRecords(environment.clustersDir)) {
    if (await isHeld(record)) continue;
    log(`removing what is left of cluster ${record.name}`);
    await removeIfAbandoned(record);
  }
}

/** Whether a process is there that will remove the cluster in the end. */
async function isHeld(record: ClusterRecord): Promise<boolean> {
  return isAlive(record.supervisor ?? record.starter);
}

async function removeIfAbandoned(record: ClusterRecord): Promise<void> {
  if (process.getuid?.() !== 0 && record.ownNetwork) {
    throw new DevClusterError('cleanup', `cluster "${record.name}" was made by root; run this as root too`);
  }
  await cleanUpUnless(isHeld, record);
}

/** For the starter of a cluster whose supervisor has ended without cleaning up: removes what is there. */
export async function removeFailed(record: ClusterRecord): Promise<void> {
  await cleanUpUnless(({ supervisor }) => isAlive(supervisor), record);
}

async function cleanUpUnless(held: (record: ClusterRecord) => Promise<boolean>, record: ClusterRecord): Promise<void> {
  await withLock(`cleanup ${record.dir}`, async () => {
    const current = await readRecord(record.dir);
    if (current?.scope === record.scope && !(await held(current))) await cleanUp(current);
  });
}

async function untilSupervisorEnds(record: ClusterRecord): Promise<void> {
  while (await isAlive(record.supervisor)) await delay(50);
}
