import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { openSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { NodeProcess } from './node-process.ts';

let folder: string;
let log: string;
let notes: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-'));
  log = join(folder, 'log');
  notes = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** A node whose program is a script. */
function nodeThat(script: string): NodeProcess {
  const launch = (): ReturnType<typeof spawn> => {
    const output = openSync(log, 'a');
    const child = spawn('sh', ['-c', script], { stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    return child;
  };
  return new NodeProcess({ launch, log, note: (line) => notes.push(line) });
}

const said = (what: string) => async (): Promise<boolean> =>
  readFile(log, 'utf8').then(
    (text) => text.includes(what),
    () => false,
  );

test('a node that ends before it is ready does not start, and its last words are told', async () => {
  const node = nodeThat('echo no such backend; exit 3');
  await expect(node.start(said('ready'))).rejects.toThrow(
    "the region's node does not start: exit code 3\nno such backend",
  );
  await node.stop();
});

test('a node that ends later is started again, and stays away when it is stopped', async () => {
  const node = nodeThat('echo ready; exec sleep 1000');
  await node.start(said('ready'));
  const { pid = 0 } = node;
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => node.pid).toSatisfy((next) => next !== undefined && next !== pid);
  expect(notes).toEqual(["the region's node ended: SIGKILL; it is started again"]);
  await node.stop();
  expect(node.pid).toBeUndefined();
  expect(notes).toHaveLength(1);
});

test('whoever does not want to wait for it any longer does not have to', async () => {
  const node = nodeThat('exec sleep 1000');
  await expect(node.start(said('ready'), AbortSignal.timeout(200))).rejects.toThrow('timeout');
  await node.stop();
});
