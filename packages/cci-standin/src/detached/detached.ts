import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { canRunContainers, downCluster, statusOfClusters } from '@spillway/devcluster';
import { RegionError } from '../errors.ts';
import {
  clusterName,
  controlSocket,
  logFile,
  type DetachedOptions,
  type RegionFactSheet,
  type RegionMessage,
} from './facts.ts';

export interface UpRegionOptions extends Omit<Partial<DetachedOptions>, 'log'> {
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Starts a region that outlives this process, unless there is one. By default its pods run as containers where the
 * machine can have them, and else are simulated.
 */
export async function upRegion(options: UpRegionOptions = {}): Promise<RegionFactSheet> {
  const { log = () => undefined, signal } = options;
  const running = await untilSettled(signal);
  if (running !== undefined) {
    log('the region is already up');
    refuseOther(running, options);
    return running;
  }
  const { host = '127.0.0.1', program = ['spillway'] } = options;
  const node = options.node ?? (await usualNode(log));
  await start({ host, program, node }, log, signal);
  const started = await statusOfRegion();
  if (started === undefined) throw new RegionError('the region was up and ended at once');
  return started;
}

/** Undefined when none runs. */
export async function statusOfRegion(): Promise<RegionFactSheet | undefined> {
  const answer = await control('GET');
  // The other end is of the same version, and writes exactly this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return answer === undefined ? undefined : (JSON.parse(answer) as RegionFactSheet);
}

/** Returns when nothing of it is left, also of one whose process was killed; false when there was none. */
export async function downRegion(): Promise<boolean> {
  if ((await control('DELETE')) !== undefined) return true;
  const left = await isClusterThere();
  await downCluster(clusterName);
  return left;
}

/** When a region's process was killed, its cluster goes by itself; one that is being started comes up. */
async function untilSettled(signal: AbortSignal | undefined): Promise<RegionFactSheet | undefined> {
  for (;;) {
    const running = await statusOfRegion();
    if (running !== undefined || !(await isClusterThere())) return running;
    if (signal?.aborted === true) throw new RegionError('interrupted');
    await delay(200);
  }
}

async function isClusterThere(): Promise<boolean> {
  const found = (await statusOfClusters()).find(({ name }) => name === clusterName);
  if (found?.keep !== true) return found !== undefined;
  throw new RegionError(
    `cluster "${clusterName}" was started by hand and has the name that the region's needs: spillway dev down ${clusterName}`,
  );
}

function refuseOther({ node, endpoint }: RegionFactSheet, wanted: UpRegionOptions): void {
  const host = new URL(endpoint).hostname.replace(/^\[(.*)\]$/, '$1');
  const others = [
    ...(wanted.host === undefined || wanted.host === host ? [] : [`is reached at ${host}`]),
    ...(wanted.node === undefined || wanted.node === node.form ? [] : [`has another node (${node.form})`]),
  ];
  if (others.length === 0) return;
  const remedy = 'take it down first, spillway cci-region down';
  throw new RegionError(`the region that is up ${others.join(' and ')}: ${remedy}`, { kind: 'invalid' });
}

async function usualNode(log: (line: string) => void): Promise<DetachedOptions['node']> {
  const { possible, reason } = await canRunContainers();
  if (possible) return 'containers';
  log(`pods are simulated, because this machine cannot run containers: ${reason}`);
  return 'simulated';
}

async function start(
  options: DetachedOptions,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  // The same file ending as this one: .ts from sources, .js from the build.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../main.${ending}`, import.meta.url));
  const path = await logFile();
  const output = openSync(path, 'w', 0o600);
  const child = fork(main, [JSON.stringify(options)], { detached: true, stdio: ['ignore', output, output, 'ipc'] });
  closeSync(output);
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => void child.kill('SIGTERM');
    const fail = (message: string): void => {
      signal?.removeEventListener('abort', stop);
      reject(new RegionError(message));
    };
    child.on('message', (told: RegionMessage) => {
      if (told.type === 'log') log(told.line);
      if (told.type === 'failed') fail(told.message);
      if (told.type !== 'ready') return;
      signal?.removeEventListener('abort', stop);
      child.disconnect();
      child.unref();
      resolve();
    });
    child.on('exit', (code) => fail(`the region's process ended (${code}): see ${path}`));
    child.on('error', reject);
    signal?.addEventListener('abort', stop);
  });
}

/** Undefined when nobody listens. */
async function control(method: 'GET' | 'DELETE'): Promise<string | undefined> {
  const socketPath = await controlSocket();
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path: '/' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
    outgoing.end();
  });
}
