import { KubeClient } from '@spillway/kube';
import type { Command } from 'commander';
import { kubernetesAccess, processEnvironment } from '../config/kubernetes-access.ts';
import { clusterConfig } from '../serve/connect.ts';
import { ownVersion } from './own-version.ts';

export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The options with which every command finds its cluster, named as kubectl's. */
export function withClusterOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'kubeconfig file (default: the service account inside a cluster, else $KUBECONFIG, else ~/.kube/config)',
    )
    .option('--context <name>', 'context of the kubeconfig');
}

/** Runs `work` with the user's own rights. */
export async function inCluster<T>(options: ClusterOptions, work: (client: KubeClient) => Promise<T>): Promise<T> {
  const config = await clusterConfig(kubernetesAccess(options, processEnvironment()));
  const client = new KubeClient({
    config,
    userAgent: `spillway-cli/${await ownVersion()}`,
    // A person waits, and sends little.
    lanes: { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 16 } },
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
