import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RegionError } from '../errors.ts';
import { controlSocket, stateFolder, type RegionFactSheet, type RegionMessage } from './facts.ts';

export interface UpRegionOptions {
  /** Where clients reach it. Default: 127.0.0.1 */
  readonly host?: string;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** Starts a region that outlives this process, unless there is one. */
export async function upRegion(options: UpRegionOptions = {}): Promise<RegionFactSheet> {
  const running = await statusOfRegion();
  if (running !== undefined) return running;
  await start(await stateFolder(), options);
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

/** Returns when nothing of it is left; false when there was none. */
export async function downRegion(): Promise<boolean> {
  return (await control('DELETE')) !== undefined;
}

function start(folder: string, { host, log = () => undefined, signal }: UpRegionOptions): Promise<void> {
  // The same file ending as this one: .ts from sources, .js from the build.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`../main.${ending}`, import.meta.url));
  const output = openSync(join(folder, 'log'), 'w', 0o600);
  const child = fork(main, host === undefined ? [] : [host], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
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
    child.on('exit', (code) => fail(`the region's process ended (${code}): see ${join(folder, 'log')}`));
    child.on('error', reject);
    signal?.addEventListener('abort', stop);
  });
}

/** Undefined when nobody listens. */
async function control(method: 'GET' | 'DELETE'): Promise<string | undefined> {
  const socketPath = controlSocket(await stateFolder());
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
