import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { http } from '../src/host/http.ts';
import { findProcesses, kill } from '../src/host/processes.ts';
import type { Cluster } from '../src/index.ts';
import { parseJson } from '../src/json.ts';
import { environmentMark, readRecord } from '../src/record.ts';
import { isForeign, isPolicy } from './foreign.ts';

/** What a control plane has while nobody uses it. */
export interface Pristine {
  /** Names of what etcd holds. */
  readonly keys: readonly string[];
  /** In the cluster's folder, and in that of its certificates. */
  readonly files: readonly string[];
  readonly pkiFiles: readonly string[];
}

const patienceMs = 60_000;
const endingLooks = 20;
/** etcd takes 128. */
const maxTransaction = 100;
/** The API server looks for changed policies once a second, and tells nobody when it has. */
const policyRefreshMs = 2_000;

export async function pristineOf(cluster: Cluster): Promise<Pristine> {
  const [keys, files, pkiFiles] = await Promise.all([
    keysOf(cluster),
    readdir(cluster.dir),
    readdir(join(cluster.dir, 'pki')),
  ]);
  return { keys, files, pkiFiles };
}

/**
 * Makes a control plane again what it was: what a test file has made in it is taken out of etcd, as no finalizer can keep
 * it there, and off the disk. Programs that the file has left running are killed, and the file is told of them.
 */
export async function makePristine(cluster: Cluster, pristine: Pristine): Promise<void> {
  const left = await killLeftovers(cluster);
  const { components } = await cluster.status();
  for (const { name, phase } of components) if (phase !== 'running') await cluster.component(name).start();
  await clearEtcd(cluster, pristine);
  await removeOthers(cluster.dir, pristine.files);
  await removeOthers(join(cluster.dir, 'pki'), pristine.pkiFiles);
  if (left.length > 0) throw new Error(`the test file has left these running: ${left.join(', ')}`);
}

/** Until nobody has put anything back: controllers answer to what vanishes. */
async function clearEtcd(cluster: Cluster, pristine: Pristine): Promise<void> {
  const known = new Set(pristine.keys);
  const giveUpAt = Date.now() + patienceMs;
  let policies = false;
  for (let quiet = 0; quiet < 2; ) {
    const foreign = (await keysOf(cluster)).filter((key) => !known.has(key) && isForeign(key));
    if (Date.now() > giveUpAt) throw new Error(`these come back into the cluster: ${foreign.join(', ')}`);
    policies ||= foreign.some(isPolicy);
    for (let first = 0; first < foreign.length; first += maxTransaction) {
      const keys = foreign.slice(first, first + maxTransaction);
      await askEtcd(cluster, 'txn', {
        success: keys.map((key) => ({ request_delete_range: { key: base64(key) } })),
      });
    }
    quiet = foreign.length === 0 ? quiet + 1 : 0;
    await delay(100);
  }
  if (policies) await delay(policyRefreshMs);
}

async function keysOf(cluster: Cluster): Promise<string[]> {
  const range = { key: base64('/registry/'), range_end: base64('/registry0'), keys_only: true };
  const { kvs = [] } = await askEtcd<{ kvs?: { key: string }[] }>(cluster, 'range', range);
  return kvs.map(({ key }) => Buffer.from(key, 'base64').toString());
}

/** The JSON form of etcd's gRPC API. */
async function askEtcd<T>({ etcd }: Cluster, call: string, body: object): Promise<T> {
  const [ca, cert, key] = await Promise.all(
    [etcd.caFile, etcd.certFile, etcd.keyFile].map((file) => readFile(file, 'utf8')),
  );
  const answer = await http(`${etcd.endpoint}/v3/kv/${call}`, {
    method: 'POST',
    body: JSON.stringify(body),
    timeoutMs: patienceMs,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
  if (answer.status === 200) return parseJson<T>(answer.body);
  throw new Error(`etcd answered ${call} with ${answer.status}: ${answer.body.trim()}`);
}

/** Processes of the cluster that are none of its components. */
async function killLeftovers(cluster: Cluster): Promise<string[]> {
  const record = await readRecord(cluster.dir);
  if (record === undefined) throw new Error(`there is no cluster ${cluster.name} any more`);
  const { name, value } = environmentMark(record);
  const others = async (): Promise<Set<number>> => {
    const found = await findProcesses({ environment: `${name}=${value}` });
    for (const { pid } of (await cluster.status()).components) if (pid !== undefined) found.delete(pid);
    return found;
  };
  let found = await others();
  // One that was told to end takes a busy machine a moment.
  for (let looks = 0; found.size > 0 && looks < endingLooks; looks += 1) {
    await delay(100);
    found = await others();
  }
  const named = [...found].map(async (pid) => {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    kill(pid, 'SIGKILL');
    return command.replaceAll('\0', ' ').trim();
  });
  // A dead one has no command line.
  return (await Promise.all(named)).filter((command) => command !== '');
}

async function removeOthers(dir: string, known: readonly string[]): Promise<void> {
  const others = (await readdir(dir)).filter((name) => !known.includes(name));
  await Promise.all(others.map((name) => rm(join(dir, name), { recursive: true, force: true })));
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
