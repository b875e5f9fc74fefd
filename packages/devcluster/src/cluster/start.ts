import { fork, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resolveBinaries, type BinaryProgress } from '../binaries/resolve.ts';
import { neededBinaries } from '../components/plan.ts';
import { currentEnvironment, type Environment } from '../environment.ts';
import { DevClusterError } from '../errors.ts';
import { identify } from '../host/processes.ts';
import { inspectHost } from '../host/report.ts';
import { raiseSysctls, readSysctls, type Sysctls } from '../host/sysctls.ts';
import { differences, resolveOptions, type ClusterOptions, type ResolvedOptions } from '../options.ts';
import { claim, newScope, readRecord, readRecords, type ClusterRecord } from '../record.ts';
import type { SupervisorMessage } from '../supervisor/messages.ts';
import { RunningCluster, type Cluster } from './cluster.ts';
import { downCluster, removeAbandoned, removeFailed } from './down.ts';

/** containerd and the kubelet make sockets up to 60 bytes below; the kernel's limit is 107. */
const maxDirLength = 60;

/**
 * Starts a cluster and waits until it is usable: every component ready, the real node Ready, images in the registry.
 * It goes down with `close`, or when this process ends, unless `keep` is set.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const environment = currentEnvironment();
  const resolved = resolveOptions(options, environment.kubernetesVersion);
  const log = options.log ?? (() => {});
  const ownNetwork = checkHost(resolved, environment);
  await removeAbandoned(environment, log);
  noteLimits(resolved, log);
  const binaries = await resolveBinaries(neededBinaries(resolved), {
    environment,
    kubernetesVersion: resolved.kubernetesVersion,
    report: (progress) => reportBinary(progress, log),
    ...(options.binaries ? { given: options.binaries } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const record = await newRecord(resolved, environment, ownNetwork, binaries);
  await mkdir(environment.clustersDir, { recursive: true, mode: 0o700 });
  await claim(record);
  try {
    if (record.sysctls !== undefined) await raiseSysctls();
    await supervise(record, log, options.signal);
  } catch (error) {
    await removeFailed(record);
    throw error;
  }
  return openCluster(record, environment);
}

/**
 * The cluster of that name, which some process started with `keep` or is holding.
 *
 * @param close what its `close` does in place of taking it down
 */
export async function attachCluster(name: string, close?: () => Promise<void>): Promise<Cluster> {
  const environment = currentEnvironment();
  await removeAbandoned(environment, () => {});
  const record = await readRecord(join(environment.clustersDir, name));
  if (record === undefined) {
    throw new DevClusterError('notFound', `there is no cluster "${name}". Start it: spillway dev up ${name}`);
  }
  if (record.readyAt === undefined) {
    throw new DevClusterError('control', `cluster "${name}" is still starting; try again in a moment`);
  }
  return openCluster(record, environment, close);
}

/** As {@link attachCluster}. @throws DevClusterError "exists" when the cluster is not as it is wanted; what is left out does not matter */
export async function attachSame(
  name: string,
  wanted: Pick<ClusterOptions, 'node' | 'kubernetesVersion'>,
): Promise<Cluster> {
  const cluster = await attachCluster(name);
  const record = await readRecord(cluster.dir);
  const others = record === undefined ? [] : differences(record.options, wanted);
  if (others.length === 0) return cluster;
  const remedy = `take it down first, spillway dev down ${name}`;
  throw new DevClusterError('exists', `cluster "${name}" is up with ${others.join(' and ')}: ${remedy}`);
}

async function openCluster(
  record: ClusterRecord,
  environment: Environment,
  down: () => Promise<unknown> = () => downCluster(record.name, { environment, scope: record.scope }),
): Promise<Cluster> {
  return new RunningCluster({ record: (await readRecord(record.dir)) ?? record, down });
}

/** Whether this machine can have a real node, and why not. Nothing is installed by asking. */
export async function canRunContainers(): Promise<{ readonly possible: boolean; readonly reason: string }> {
  const report = inspectHost(currentEnvironment());
  return { possible: report.containers, reason: report.problems.join('; ') };
}

/** Throws when this machine cannot have such a cluster. Returns whether it gets a network namespace of its own. */
function checkHost(options: ResolvedOptions, environment: Environment): boolean {
  const report = inspectHost(environment);
  if (environment.platform !== 'linux') {
    throw new DevClusterError('host', `no cluster can run here: ${report.problems.join('; ')}`);
  }
  if (options.node !== undefined && !report.containers) {
    throw new DevClusterError(
      'host',
      `this machine cannot run the cluster's containers: ${report.problems.join('; ')}. A control plane alone (node: false) works without them`,
    );
  }
  const dir = join(environment.clustersDir, options.name);
  if (dir.length > maxDirLength) {
    throw new DevClusterError('host', `${dir} is too long a path for sockets: set XDG_STATE_HOME to a shorter one`);
  }
  return report.namespaces;
}

function noteLimits({ node }: ResolvedOptions, log: (line: string) => void): void {
  const cores = cpus().length;
  if (node && node.milliCpu > cores * 1000)
    log(`node ${node.name}: this machine has ${cores} CPUs, so the node has no more`);
  if (node && node.memoryBytes > totalmem()) log(`node ${node.name}: it has no more memory than this machine`);
}

function reportBinary({ name, version, state, detail }: BinaryProgress, log: (line: string) => void): void {
  if (state !== 'cached') log(`${name} ${version}: ${state}, ${detail}`);
}

async function newRecord(
  options: ResolvedOptions,
  environment: Environment,
  ownNetwork: boolean,
  binaries: ClusterRecord['binaries'],
): Promise<ClusterRecord> {
  const starter = await identify(process.pid);
  if (starter === undefined) throw new DevClusterError('host', '/proc is not mounted: mount it');
  return {
    version: 1,
    name: options.name,
    dir: join(environment.clustersDir, options.name),
    scope: newScope(options.name),
    ownNetwork,
    createdAt: new Date().toISOString(),
    options,
    binaries,
    starter,
    ...(options.node ? { sysctls: await originalSysctls(environment) } : {}),
  };
}

/** A cluster that runs already has changed them, and has written down what they were. */
async function originalSysctls(environment: Environment): Promise<Sysctls> {
  const other = (await readRecords(environment.clustersDir)).find((record) => record.sysctls !== undefined);
  return other?.sysctls ?? readSysctls();
}

/** Starts the supervisor and waits for its word. */
function supervise(record: ClusterRecord, log: (line: string) => void, signal: AbortSignal | undefined): Promise<void> {
  // The same file ending as this one: .ts from sources, .js from the build.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../supervisor/main.${ending}`, import.meta.url));
  const child = fork(main, [record.dir], { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  return new Promise((resolve, reject) => {
    let said = '';
    const onAbort = (): void => void child.kill('SIGTERM');
    const settle = (finish: () => void): void => {
      signal?.removeEventListener('abort', onAbort);
      finish();
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    });
    child.on('message', (told: SupervisorMessage) => {
      if (told.type === 'log') log(told.line);
      if (told.type === 'failed')
        settle(() => reject(new DevClusterError('startup', `cluster "${record.name}": ${told.message}`)));
      if (told.type !== 'ready') return;
      letGo(child, record.options.keep);
      settle(resolve);
    });
    child.on('exit', (code) =>
      settle(() =>
        reject(new DevClusterError('startup', `the supervisor of "${record.name}" ended (${code}): ${said.trim()}`)),
      ),
    );
    child.on('error', (error) => settle(() => reject(error)));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
  });
}

/** This process may end without waiting for the supervisor. Its end closes the channel, which the supervisor watches. */
function letGo(child: ChildProcess, keep: boolean): void {
  child.stderr?.destroy();
  child.unref();
  if (keep) child.disconnect();
  else child.channel?.unref();
}
