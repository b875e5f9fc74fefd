import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { statusOfClusters } from '@spillway/devcluster';
import { expect, test } from 'vitest';

const execute = promisify(execFile);

test('npm run demo shows overflow onto real containers, ends by itself and leaves nothing', async () => {
  const main = path.join(import.meta.dirname, '../demo/main.ts');
  const { stdout } = await execute(process.execPath, ['--conditions=spillway-source', main, '--name', 'demo-test']);
  expect(stdout).toContain('real containers behind a virtual node');
  expect(stdout).toMatch(/All 20 are Ready/);
  expect(stdout).toMatch(/hello from test-vk-/);
  expect(stdout).toMatch(/Left on the machine.*: runningTasks 0, containers 0, sandboxes 0, /);
  expect(stdout.trim().split('\n').at(-1)).toMatch(/is gone\.$/);
  expect((await statusOfClusters()).map(({ name }) => name)).not.toContain('demo-test');
});
