import type { Cluster } from '@spillway/devcluster';
import { startCluster } from '@spillway/devcluster';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Name of the cluster that all product tests share. */
    clusterName: string;
  }
}

/** One cluster for all product tests: a real node of 2 CPUs and a containerd for the pool. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster: Cluster = await startCluster({ node: { cpu: '2' }, pool: true });
  project.provide('clusterName', cluster.name);
  return async () => cluster.close();
}
