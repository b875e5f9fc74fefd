import { lstat, readdir, readFile, readlink, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerdPaths } from '../components/containerd.ts';
import { podLogsDir } from '../components/node.ts';
import { DevClusterError } from '../errors.ts';
import { cgroupLayout, processesIn, removeCgroup } from '../host/cgroups.ts';
import { currentMounts, unmountBelow } from '../host/mounts.ts';
import { findProcesses, kill } from '../host/processes.ts';
import { restoreSysctls } from '../host/sysctls.ts';
import { namespacePath, removeNamespace } from '../network/namespace.ts';
import { environmentMark, readRecords, type ClusterRecord } from '../record.ts';

const patienceMs = 30_000;

/**
 * Removes all that there may be of a cluster, by what its record says and the system shows, not by what anyone remembers:
 * processes, mounts, cgroups, network, files. May be called at any point of a cluster's life and any number of times; the
 * folder with the record goes last. The supervisor must not run any more, or be the caller.
 */
export async function cleanUp(record: ClusterRecord): Promise<void> {
  await killProcesses(record);
  if (record.ownNetwork) {
    await removeRuntimeLeftovers(record);
    await retry(() => unmountBelow(record.dir), `mounts of cluster ${record.name}`);
    await removeCgroups(record);
    await removeNamespace(record.scope);
    await restoreMachine(record);
  }
  await rm(record.dir, { recursive: true, force: true });
}

/** The last cluster with a node gives the machine its settings back. */
async function restoreMachine({ dir, sysctls }: ClusterRecord): Promise<void> {
  if (sysctls === undefined) return;
  const others = (await readRecords(dirname(dir))).filter((other) => other.dir !== dir && other.sysctls !== undefined);
  if (others.length === 0) await restoreSysctls(sysctls);
}

/** Everything is killed at once: nothing of a cluster is worth a farewell, and what dies cannot start more. */
async function killProcesses(record: ClusterRecord): Promise<void> {
  const layout = record.ownNetwork ? cgroupLayout(await currentMounts()) : undefined;
  const mark = environmentMark(record);
  await retry(async () => {
    const pids = await findProcesses({
      environment: `${mark.name}=${mark.value}`,
      ...(record.ownNetwork ? { namespace: namespacePath(record.scope) } : {}),
    });
    if (layout) for (const pid of await processesIn(layout, `/${record.scope}`)) pids.add(pid);
    for (const pid of pids) kill(pid, 'SIGKILL');
    return [...pids].map(String);
  }, `processes of cluster ${record.name}`);
}

async function removeCgroups(record: ClusterRecord): Promise<void> {
  const layout = cgroupLayout(await currentMounts());
  if (layout) await retry(() => removeCgroup(layout, `/${record.scope}`), `cgroups of cluster ${record.name}`);
}

/** What containerd, CNI and the kubelet keep in places of their own, outside the cluster's folder. */
async function removeRuntimeLeftovers(record: ClusterRecord): Promise<void> {
  const { dir } = containerdPaths(record.dir);
  await removeShimSockets(join(dir, 'state', 'io.containerd.runtime.v2.task', 'k8s.io'));
  await removeCniResults(await list(join(dir, 'root', 'io.containerd.grpc.v1.cri', 'sandboxes')));
  const logs = podLogsDir(record.dir);
  for (const file of await list('/var/log/containers')) {
    const path = join('/var/log/containers', file);
    const target = (await lstat(path)).isSymbolicLink() ? await readlink(path) : '';
    if (target.startsWith(`${logs}/`)) await unlink(path);
  }
}

/** Each container's shim listens under /run/containerd/s and has written where. */
async function removeShimSockets(tasks: string): Promise<void> {
  for (const id of await list(tasks)) {
    const address = await readFile(join(tasks, id, 'address'), 'utf8').catch(() => '');
    const [, socket] = /^unix:\/\/(\/run\/containerd\/s\/[0-9a-f]+)$/.exec(address.trim()) ?? [];
    if (socket !== undefined) await rm(socket, { force: true });
  }
}

/** CNI keeps `<network>-<sandbox>-<interface>` of every sandbox that was not stopped in good order. */
async function removeCniResults(sandboxes: readonly string[]): Promise<void> {
  const folder = '/var/lib/cni/results';
  for (const file of await list(folder)) {
    if (sandboxes.some((id) => file.includes(`-${id}-`))) await rm(join(folder, file), { force: true });
  }
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Repeats until nothing is left; the kernel takes a moment to let go of what was killed. */
async function retry(attempt: () => Promise<readonly string[]>, what: string): Promise<void> {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const left = await attempt();
    if (left.length === 0) return;
    if (Date.now() > giveUpAt) {
      throw new DevClusterError('cleanup', `${what} cannot be removed: ${left.slice(0, 10).join(', ')}`);
    }
    await delay(50);
  }
}
