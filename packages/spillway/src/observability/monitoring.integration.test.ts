import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { resolvePromtool } from '@spillway/devcluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { dashboardQueries, ruleFiles, ruleTests, scrapeConfig } from './testing/monitoring-files.ts';

const execute = promisify(execFile);

let promtool: string;
let dir: string;

beforeAll(async () => {
  promtool = await resolvePromtool();
  dir = await mkdtemp(join(tmpdir(), 'spillway-monitoring-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

test('Prometheus takes the rules', async () => {
  const { stdout } = await execute(promtool, ['check', 'rules', ...ruleFiles]);
  expect(stdout.match(/SUCCESS/g)).toHaveLength(ruleFiles.length);
});

test('the rules say what they should, and each alert fires when it should', async () => {
  await execute(promtool, ['test', 'rules', ...ruleTests]);
});

test('Prometheus takes the queries of the dashboards', async () => {
  const queries = dashboardQueries();
  expect(queries.length).toBeGreaterThan(20);
  const file = join(dir, 'queries.yaml');
  const asRules = queries.map(({ title, expr }, index) => ({ record: `query_${index}`, expr, labels: { title } }));
  await writeFile(file, stringify({ groups: [{ name: 'dashboards', rules: asRules }] }));
  await execute(promtool, ['check', 'rules', file]);
});

test('Prometheus takes the scrape configuration', async () => {
  await execute(promtool, ['check', 'config', '--syntax-only', scrapeConfig]);
});
