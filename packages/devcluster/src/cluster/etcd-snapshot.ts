import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComponentName } from '../components/names.ts';
import type { ComponentHandle } from './component-handle.ts';

export interface EtcdSnapshotDependencies {
  /** The cluster's folder. */
  readonly dir: string;
  readonly component: (name: ComponentName) => ComponentHandle;
}

/** Those that remember versions which a restored etcd has not reached yet, the one that others need first. */
const clients: readonly ComponentName[] = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Copies etcd's data while it is stopped. Returns the copy's path. */
export async function takeSnapshot({ dir, component }: EtcdSnapshotDependencies): Promise<string> {
  const snapshot = await mkdtemp(join(dir, 'etcd-snapshot-'));
  const etcd = component('etcd');
  await etcd.stop('SIGTERM');
  await cp(join(dir, 'etcd'), snapshot, { recursive: true });
  await etcd.start();
  return snapshot;
}

/** As the etcd manual says for a restore without `--bump-revision`: everything stops, and starts with older data. */
export async function restoreSnapshot({ dir, component }: EtcdSnapshotDependencies, snapshot: string): Promise<void> {
  for (const name of clients.toReversed()) await component(name).stop();
  await component('etcd').stop();
  await rm(join(dir, 'etcd'), { recursive: true });
  await cp(snapshot, join(dir, 'etcd'), { recursive: true });
  await component('etcd').start();
  for (const name of clients) await component(name).start();
}
