import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Cluster } from '../src/index.ts';
import { exec } from '../src/exec.ts';
import { cgroupLayout } from '../src/host/cgroups.ts';
import { currentMounts } from '../src/host/mounts.ts';

/** By what a cluster's belongings are recognised, written down while it lives. */
export interface Footprint {
  readonly dir: string;
  readonly scope: string;
  readonly nodeAddress: string;
  readonly sandboxes: readonly string[];
}

export async function footprintOf(cluster: Pick<Cluster, 'dir' | 'netns' | 'nodeAddress'>): Promise<Footprint> {
  return {
    dir: cluster.dir,
    scope: basename(cluster.netns ?? ''),
    nodeAddress: cluster.nodeAddress,
    sandboxes: await list(join(cluster.dir, 'node/root/io.containerd.grpc.v1.cri/sandboxes')),
  };
}

/** Everything on this machine that still belongs to the cluster, one line each. */
export async function residueOf(footprint: Footprint): Promise<string[]> {
  return [
    ...(await processes(footprint)),
    ...(await mounts(footprint)),
    ...(await cgroups(footprint)),
    ...(await network(footprint)),
    ...(await files(footprint)),
  ];
}

async function processes({ dir, scope }: Footprint): Promise<string[]> {
  const left: string[] = [];
  for (const pid of (await list('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const [cmdline, environ, cgroup] = await Promise.all(
      ['cmdline', 'environ', 'cgroup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const dead = cmdline === '';
    if (!dead && [cmdline, environ, cgroup].some((text) => text?.includes(scope) || text?.includes(`${dir}/`))) {
      left.push(`process ${pid} ${cmdline?.replaceAll('\0', ' ')}`);
    }
  }
  return left;
}

async function mounts({ dir, scope }: Footprint): Promise<string[]> {
  return (await currentMounts())
    .filter(({ mountPoint }) => mountPoint.startsWith(`${dir}/`) || mountPoint.includes(scope))
    .map(({ mountPoint }) => `mount ${mountPoint}`);
}

async function cgroups({ scope }: Footprint): Promise<string[]> {
  const hierarchies = cgroupLayout(await currentMounts())?.hierarchies ?? [];
  const lists = await Promise.all(hierarchies.map(async (path) => ({ path, names: await list(path) })));
  return lists.filter(({ names }) => names.includes(scope)).map(({ path }) => `cgroup ${path}/${scope}`);
}

async function network({ scope, nodeAddress }: Footprint): Promise<string[]> {
  const namespaces = (await exec('ip', ['netns', 'list'])).stdout.split('\n').filter((line) => line.startsWith(scope));
  const route = nodeAddress.replace(/\d+$/, (last) => `${Number(last) - 2}/30`);
  const routes = (await exec('ip', ['route', 'show', route])).stdout.split('\n').filter((line) => line !== '');
  return [...namespaces.map((line) => `namespace ${line}`), ...routes.map((line) => `route ${line}`)];
}

async function files({ dir, sandboxes }: Footprint): Promise<string[]> {
  const results = (await list('/var/lib/cni/results')).filter((file) => sandboxes.some((id) => file.includes(id)));
  const logs = await Promise.all(
    (await list('/var/log/containers')).map((file) => readlink(join('/var/log/containers', file)).catch(() => '')),
  );
  return [
    ...(await list(dir)).map((file) => `file ${join(dir, file)}`),
    ...results.map((file) => `CNI result ${file}`),
    ...logs.filter((target) => target.startsWith(`${dir}/`)).map((target) => `log link to ${target}`),
  ];
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
