import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { raiseSysctls, readSysctls, restoreSysctls } from './sysctls.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spillway-sysctls-'));
  await mkdir(join(root, 'vm'));
  await writeFile(join(root, 'vm/overcommit_memory'), '0\n');
});
afterEach(() => rm(root, { recursive: true }));

test('settings come back as they were; those that a kernel does not have are left out', async () => {
  const before = await readSysctls(root);
  expect(before).toEqual({ 'vm/overcommit_memory': '0' });
  await writeFile(join(root, 'vm/overcommit_memory'), '1\n');
  await restoreSysctls({ ...before, 'kernel/panic': '0' }, root);
  expect(await readFile(join(root, 'vm/overcommit_memory'), 'utf8')).toBe('0');
});

test('a limit that is too low for nodes is raised, one that is higher stays', async () => {
  const limit = join(root, 'fs/inotify/max_user_instances');
  await mkdir(join(root, 'fs/inotify'), { recursive: true });
  await writeFile(limit, '128\n');
  const before = await readSysctls(root);
  await raiseSysctls(root);
  expect(await readFile(limit, 'utf8')).toBe('8192');
  await restoreSysctls(before, root);
  expect(await readFile(limit, 'utf8')).toBe('128');
  await writeFile(limit, '100000\n');
  await raiseSysctls(root);
  expect(await readFile(limit, 'utf8')).toBe('100000\n');
});
