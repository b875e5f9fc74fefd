import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Testbed } from './testbed.ts';

const execute = promisify(execFile);

/** Everything that instances occupy. `toEqual(nothing)` is the claim that nothing was left behind. */
export interface Residue {
  /** Containers that run at this moment. */
  readonly runningTasks: string[];
  readonly containers: string[];
  readonly sandboxes: string[];
  readonly networkNamespaces: string[];
  readonly addresses: string[];
  readonly folders: string[];
  readonly cgroups: string[];
}

/** What a pool's instances occupy on this machine, read from the machine and not from Spillway. */
export async function residue(testbed: Testbed): Promise<Residue> {
  const pool = testbed.cluster.pool;
  if (!pool) throw new Error('this cluster has no pool');
  const ctr = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await execute('ctr', ['--address', pool.containerdSocket, '-n', 'k8s.io', ...args]);
    return stdout.split('\n').filter(Boolean);
  };
  const [tasks, containers, sandboxes] = await Promise.all([
    ctr('tasks', 'list'),
    ctr('containers', 'list', '-q', 'labels."io.cri-containerd.kind"==container'),
    ctr('containers', 'list', '-q', 'labels."io.cri-containerd.kind"==sandbox'),
  ]);
  const dir = path.dirname(pool.containerdSocket);
  return {
    runningTasks: tasks
      .map((line) => line.split(/\s+/))
      .filter(([id, , state]) => id !== undefined && containers.includes(id) && state === 'RUNNING')
      .map(([id]) => id ?? ''),
    containers,
    sandboxes,
    networkNamespaces: await entries(path.join(dir, 'state/io.containerd.grpc.v1.cri/netns')),
    addresses: (await entries(path.join(dir, 'addresses'), { recursive: true })).filter((name) =>
      /(^|\/)\d+\.\d+\.\d+\.\d+$/.test(name),
    ),
    folders: await entries(path.join(testbed.stateDir, 'instances')),
    cgroups: await cgroupsBelow(pool.cgroupParent),
  };
}

export const nothing: Residue = {
  runningTasks: [],
  containers: [],
  sandboxes: [],
  networkNamespaces: [],
  addresses: [],
  folders: [],
  cgroups: [],
};

/** Child groups in whichever hierarchies this machine has: one (cgroup v2) or one a controller (v1). */
async function cgroupsBelow(parent: string): Promise<string[]> {
  const roots = ['', ...(await entries('/sys/fs/cgroup'))].map((hierarchy) =>
    path.join('/sys/fs/cgroup', hierarchy, parent),
  );
  const found = await Promise.all(
    roots.map(async (root) => (await folders(root)).map((name) => path.join(root, name))),
  );
  return found.flat();
}

async function folders(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function entries(dir: string, options: { recursive?: boolean } = {}): Promise<string[]> {
  try {
    return await readdir(dir, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
