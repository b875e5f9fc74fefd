import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Cluster } from '@spillway/devcluster';
import { type ConfigMap, nameOf, type Pod, type Secret } from '@spillway/kube';
import { burstNamespace } from './burst-namespace.ts';
import { Kubectl } from './kubectl.ts';

const execute = promisify(execFile);

/** Everything that instances occupy in the other cluster. `toEqual(nothing)` is the claim that nothing was left behind. */
export interface Residue {
  readonly pods: string[];
  /** Copies of ConfigMaps and Secrets, and what pods have of their own. */
  readonly objects: string[];
  /** On its node, whether they run or not. */
  readonly containers: string[];
  /** Containers that run at this moment. */
  readonly runningTasks: string[];
}

export const nothing: Residue = { pods: [], objects: [], containers: [], runningTasks: [] };

/** Read from the other cluster and from its node, and not from Spillway. */
export async function residue(there: Cluster): Promise<Residue> {
  const kubectl = new Kubectl(there);
  const inNamespace = ['-n', burstNamespace];
  const [pods, configMaps, secrets, containers, tasks] = await Promise.all([
    kubectl.list<Pod>(['pods', ...inNamespace]),
    kubectl.list<ConfigMap>(['configmaps', ...inNamespace]),
    kubectl.list<Secret>(['secrets', ...inNamespace]),
    ctr(there, 'containers', 'list', '-q', 'labels."io.cri-containerd.kind"==container'),
    ctr(there, 'tasks', 'list'),
  ]);
  return {
    pods: pods.map(nameOf),
    // Every namespace has the certificate of its API server.
    objects: [...configMaps, ...secrets].map(nameOf).filter((name) => name !== 'kube-root-ca.crt'),
    containers,
    runningTasks: tasks
      .map((line) => line.split(/\s+/))
      .filter(([id, , state]) => id !== undefined && containers.includes(id) && state === 'RUNNING')
      .map(([id]) => id ?? ''),
  };
}

async function ctr({ nodeContainerd }: Cluster, ...args: string[]): Promise<string[]> {
  if (nodeContainerd === undefined) throw new Error('the other cluster has no node');
  const { stdout } = await execute('ctr', ['--address', nodeContainerd.containerdSocket, '-n', 'k8s.io', ...args]);
  return stdout.split('\n').filter(Boolean);
}
