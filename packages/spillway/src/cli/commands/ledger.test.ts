import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatLine, type Interval } from '../../ledger/interval.ts';
import { type Outcome, runCommand } from '../testing/run-command.ts';

let dir: string;
let config: string;
let file: string;

const interval: Interval = {
  uid: 'u-1',
  accepted: '2026-01-01T09:00:00Z',
  namespace: 'shop',
  name: 'web',
  pool: 'cci',
  node: 'vk',
  cpu: '500m',
  memory: '1Gi',
  start: '2026-01-01T09:00:00Z',
  end: '2026-01-01T09:10:00Z',
  reason: 'Completed',
};

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'spillway-ledger-'));
  config = path.join(dir, 'config.yaml');
  file = path.join(dir, 'cci.jsonl');
  const pool = '{name: cci, nodeName: vk, backend: {type: simulated}}';
  await writeFile(config, `ledger: {directory: ${dir}}\npools: [${pool}]\n`);
  await writeFile(`${file}.1`, formatLine({ ...interval, uid: 'u-0', name: 'older' }));
  await writeFile(file, `${formatLine(interval)}{"uid":"torn`);
});
afterAll(() => rm(dir, { recursive: true }));

const ledger = (...args: string[]): Promise<Outcome> => runCommand('ledger', ...args);

it('says for each size what was billed, from all files of the pools of a configuration', async () => {
  const { code, stdout } = await ledger('--config', config, '--until', '2026-01-02');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: [
      'Until 2026-01-02T00:00:00Z; running at its end: 0',
      '',
      'SIZE             PODS   RUNNING   POD-SECONDS   VCPU-SECONDS   GIB-SECONDS',
      '0.5 CPU, 1 GiB   2      0         1200          600            1200',
      'TOTAL            2      0         1200          600            1200',
      '',
    ].join('\n'),
  });
});

it('says for each pod from when to when, for programs', async () => {
  const { stdout } = await ledger('--file', file, '--by', 'pod', '--since', '2026-01-01T09:05:00Z', '-o', 'json');
  const { uid, namespace, name, start, end, reason } = interval;
  expect(JSON.parse(stdout)).toMatchObject({
    by: 'pod',
    total: { pods: 2, running: 0, podSeconds: 600 },
    rows: [{ name: 'older' }, { uid, namespace, name, start, end, reason, podSeconds: 300, vcpuSeconds: 150 }],
  });
});

it.each([
  [[], /specify the configuration or a ledger: --config FILE or --file FILE/],
  [['--file', '/nowhere/cci.jsonl'], /\/nowhere\/cci\.jsonl: cannot read the ledger: there is no such file/],
  [['--file', '/tmp'], /^\/tmp: cannot read the ledger: it is a directory$/m],
  [['--file', 'a', '--since', 'monday'], /--since "monday" is not a time: write 2026-01-31T08:00:00Z/],
  [['--file', 'a', '--since', '1h', '--until', '2h'], /--since must be before --until/],
])('explains the mistake in %j', async (args, message) => {
  const { code, stderr } = await ledger(...args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

it('says that no ledger is kept when the configuration says so', async () => {
  const without = path.join(dir, 'without.yaml');
  await writeFile(without, 'pools: [{name: a, nodeName: vk, backend: {type: simulated}}]\n');
  expect(await ledger('--config', without)).toMatchObject({
    code: 2,
    stderr: `${without}: no ledger is kept: set ledger.directory\n`,
  });
});
