import { mkdtemp, readFile, rm } from 'node:fs/promises';
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
const region = (...args: string[]): Promise<Outcome> =>
  runSpillway(['cci-region', ...args], { ...process.env, XDG_STATE_HOME: state });

test('a region stays up until it is taken down', async () => {
  expect((await region('status')).stdout).toContain('There is no region');
  const up = await region('up', '-o', 'json');
  expect(up, up.stderr).toMatchObject({ code: 0 });
  const facts: { endpoint: string; caFile: string; accounts: object[] } = JSON.parse(up.stdout);
  expect(facts.endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(facts.accounts).toHaveLength(1);
  expect(await readFile(facts.caFile, 'utf8')).toContain('BEGIN CERTIFICATE');

  expect(await region('up', '-o', 'json')).toMatchObject({ code: 0, stdout: up.stdout });
  const status = await region('status');
  expect(status.stdout).toContain(`Region cn-north-4 is up at ${facts.endpoint}`);

  expect(JSON.parse((await region('meter', '-o', 'json')).stdout)).toMatchObject({ running: 0, bills: [] });
  expect((await region('meter')).stdout).toMatch(/^At \S+ pods: 0, running: 0\n$/);

  expect(await region('down')).toMatchObject({ code: 0, stderr: 'the region is gone\n' });
  expect(JSON.parse((await region('status', '-o', 'json')).stdout)).toBeNull();
  expect(await region('down')).toMatchObject({ code: 0, stderr: 'there is no region\n' });
});
