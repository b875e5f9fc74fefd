import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PodCgroups } from './pod-cgroups.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'spillway-cgroups-'));
});

afterEach(() => rm(root, { recursive: true }));

const limits = { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryBytes: 1_048_576 };
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

describe('a pod’s control group', () => {
  test('of version 1 is one folder for each controller', async () => {
    const cgroups = new PodCgroups('/spillway', root);
    expect(cgroups.pathOf('u-1')).toBe('/spillway/podu-1');
    await cgroups.create('u-1', limits);
    expect(await read('cpu/spillway/podu-1/cpu.shares')).toBe('512');
    expect(await read('cpu/spillway/podu-1/cpu.cfs_quota_us')).toBe('50000');
    expect(await read('memory/spillway/podu-1/memory.limit_in_bytes')).toBe('1048576');
    await cgroups.create('u-1', { cpuShares: 2, cpuPeriod: 100_000 });
    expect(await read('cpu/spillway/podu-1/cpu.cfs_quota_us')).toBe('-1');
  });

  test('of version 2 is one folder, whose controllers are switched on above it', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpu memory');
    await new PodCgroups('/spillway', root).create('u-1', limits);
    expect(await read('cgroup.subtree_control')).toBe('+pids');
    expect(await read('spillway/cgroup.subtree_control')).toBe('+pids');
    expect(await read('spillway/podu-1/cpu.weight')).toBe('20');
    expect(await read('spillway/podu-1/cpu.max')).toBe('50000 100000');
    expect(await read('spillway/podu-1/memory.max')).toBe('1048576');
    await new PodCgroups('/spillway', root).create('u-1', { cpuShares: 2, cpuPeriod: 100_000 });
    expect(await read('spillway/podu-1/cpu.max')).toBe('max 100000');
    expect(await read('spillway/podu-1/cpu.weight')).toBe('1');
  });

  test('is removed with what the runtime left in it, in every hierarchy', async () => {
    for (const hierarchy of ['cpu', 'memory', 'pids'])
      await mkdir(join(root, hierarchy, 'spillway/podu-1/container/inner'), { recursive: true });
    await mkdir(join(root, 'cpu/spillway/podu-2'));
    await new PodCgroups('/spillway', root).remove('u-1');
    expect(await readdir(join(root, 'cpu/spillway'))).toEqual(['podu-2']);
    expect(await readdir(join(root, 'pids/spillway'))).toEqual([]);
    await new PodCgroups('/spillway', root).remove('u-1');
  });

  test('is the runtime’s business when none is configured', async () => {
    const cgroups = new PodCgroups('', root);
    expect(cgroups.pathOf('u-1')).toBe('');
    await cgroups.create('u-1', limits);
    await cgroups.remove('u-1');
    expect(await readdir(root)).toEqual([]);
  });
});
