import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cgroupFolders, cgroupLayout, createCgroup, processesIn, removeCgroup } from './cgroups.ts';
import type { Mount } from './mounts.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spillway-cgroup-'));
});
afterEach(() => rm(root, { recursive: true }));

function mount(fsType: string, mountPoint: string): Mount {
  return { fsType, mountPoint, superOptions: [] };
}

test('a machine with v1 controllers is a v1 machine, and the v2 tree beside is looked after too', () => {
  const layout = cgroupLayout([mount('cgroup', '/c/cpu'), mount('cgroup2', '/c/unified'), mount('cgroup', '/c/pids')]);
  expect(layout).toEqual({ version: 1, hierarchies: ['/c/cpu', '/c/pids', '/c/unified'] });
});

test('a machine with one tree is a v2 machine; without any there are no cgroups', () => {
  expect(cgroupLayout([mount('cgroup2', '/c')])).toEqual({ version: 2, hierarchies: ['/c'] });
  expect(cgroupLayout([mount('ext4', '/')])).toBeUndefined();
});

test('a v1 cpuset takes its parent’s CPUs on the whole way down, so that processes can enter', async () => {
  const layout = { version: 1, hierarchies: [join(root, 'cpuset')] } as const;
  for (const path of ['', 'scope', 'scope/node']) {
    await mkdir(join(root, 'cpuset', path), { recursive: true });
    await writeFile(join(root, 'cpuset', path, 'cpuset.cpus'), path === '' ? '0-1\n' : '\n');
    await writeFile(join(root, 'cpuset', path, 'cpuset.mems'), path === '' ? '0\n' : '\n');
  }
  await createCgroup(layout, '/scope/node');
  expect(await readFile(join(root, 'cpuset/scope/node/cpuset.cpus'), 'utf8')).toBe('0-1\n');
  expect(await readFile(join(root, 'cpuset/scope/node/cpuset.mems'), 'utf8')).toBe('0\n');
});

test('v2 hands controllers on that are not handed on yet', async () => {
  const layout = { version: 2, hierarchies: [root] } as const;
  await mkdir(join(root, 'scope'));
  for (const path of ['', 'scope']) {
    await writeFile(join(root, path, 'cgroup.controllers'), 'cpu memory\n');
    await writeFile(join(root, path, 'cgroup.subtree_control'), 'cpu\n');
  }
  await createCgroup(layout, '/scope/node');
  expect(await readFile(join(root, 'scope/cgroup.subtree_control'), 'utf8')).toBe('+memory');
});

test('processes of a whole subtree are found, once each', async () => {
  const layout = { version: 1, hierarchies: [join(root, 'pids'), join(root, 'cpu')] } as const;
  for (const folder of cgroupFolders(layout, '/scope/system')) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'cgroup.procs'), '12\n34\n');
  }
  await writeFile(join(root, 'pids/scope/cgroup.procs'), '56\n');
  expect(await processesIn(layout, '/scope')).toEqual(new Set([12, 34, 56]));
  expect((await processesIn(layout, '/other')).size).toBe(0);
});

test('a subtree is removed from its leaves up; what is still in use is named', async () => {
  const layout = { version: 1, hierarchies: [root] } as const;
  await mkdir(join(root, 'scope/node/pod'), { recursive: true });
  await mkdir(join(root, 'scope/busy'), { recursive: true });
  await writeFile(join(root, 'scope/busy/process'), '');
  expect(await removeCgroup(layout, '/scope')).toEqual([join(root, 'scope/busy'), join(root, 'scope')]);
  await rm(join(root, 'scope/busy/process'));
  expect(await removeCgroup(layout, '/scope')).toEqual([]);
  expect(await readdir(root)).toEqual([]);
});
