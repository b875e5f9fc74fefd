import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Outcome, runSpillway } from '../testing/run-spillway.ts';

let state: string;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), 'region-'));
});
afterAll(() => rm(state, { recursive: true }));

/** With a state folder of its own: a region that is up already is not touched. */
const spillway = (...args: string[]): Promise<Outcome> => runSpillway(args, { ...process.env, XDG_STATE_HOME: state });
const region = (...args: string[]): Promise<Outcome> => spillway('cci-region', ...args);

interface Facts {
  readonly endpoint: string;
  readonly caFile: string;
  readonly accounts: readonly object[];
  readonly node: object;
  readonly pid: number;
  readonly log: string;
}

async function up(...args: string[]): Promise<Facts> {
  const outcome = await region('up', '-o', 'json', ...args);
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  return JSON.parse(outcome.stdout);
}

const status = async (): Promise<Facts | null> => JSON.parse((await region('status', '-o', 'json')).stdout);

test('a region stays up, with pods in containers where they can run, and can be connected to a cluster', async () => {
  expect((await region('status')).stdout).toContain('There is no region');
  expect(await region('connect', 'beside')).toMatchObject({
    code: 1,
    stderr: 'there is no region. Start one: spillway cci-region up\n',
  });
  const facts = await up();
  expect(facts.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(facts.accounts).toHaveLength(1);
  expect(facts.node).toMatchObject({ form: 'containers', ready: true, podCidr: '10.246.0.0/16' });
  expect(await readFile(facts.caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
  expect(await readFile(facts.log, 'utf8')).toContain('and its node (containers)');

  expect(await up()).toEqual(facts);
  expect((await region('status')).stdout).toContain(`Region cn-north-4 is up at ${facts.endpoint}`);
  expect(await region('up', '--node', 'none')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('has another node (containers): take it down first'),
  });
  expect(await up('--host', '127.0.0.1')).toEqual(facts);
  expect(await region('up', '--host', '10.0.0.1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('is reached at 127.0.0.1: take it down first'),
  });

  expect(JSON.parse((await region('meter', '-o', 'json')).stdout)).toMatchObject({ running: 0, bills: [] });
  expect((await region('meter')).stdout).toMatch(/^At \S+ pods: 0, running: 0\n$/);

  expect((await region('connect', 'beside')).stderr).toContain('Start it: spillway dev up beside');
  const cluster = await spillway('dev', 'up', 'beside', '--no-node');
  expect(cluster, cluster.stderr).toMatchObject({ code: 0 });
  const connected = await region('connect', 'beside');
  expect(connected, connected.stderr).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/clusterDNS: \[10\.201\./),
  });
  expect((await status())?.node).toMatchObject({ connectedTo: 'beside' });
  await spillway('dev', 'down', 'beside');
  expect((await status())?.node).toEqual(facts.node);
});

test('when its process was killed, the next one starts afresh, and what it left is removed', async () => {
  const killed = await status();
  process.kill(killed?.pid ?? 0, 'SIGKILL');
  expect(await status()).toBeNull();
  const next = await up('--node', 'simulated');
  expect(next.pid).not.toBe(killed?.pid);
  expect(next.node).toMatchObject({ form: 'simulated', ready: true });
  expect((await region('connect', 'beside')).stderr).toContain('pods of the region have no network');

  process.kill(next.pid, 'SIGKILL');
  expect(await region('down')).toMatchObject({ code: 0 });
  expect(await readdir(join(state, 'spillway', 'clusters'))).toEqual([]);
  expect(await region('down')).toMatchObject({ code: 0, stderr: 'there is no region\n' });
});
