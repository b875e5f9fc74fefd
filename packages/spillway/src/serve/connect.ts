import {
  type ClusterConfig,
  doubledMs,
  inClusterConfig,
  type KubeClient,
  loadKubeconfig,
  type Logger,
  namespaces,
  systemClock,
  uidOf,
  errorMessage,
} from '@spillway/kube';
import type { KubernetesAccess } from '../config/kubernetes-access.ts';

/** What is known about the cluster once it has answered. */
export interface ClusterFacts {
  /** E.g. `v1.36.3`. */
  readonly serverVersion: string;
  /** UID of the kube-system namespace: it names the cluster for as long as it lives. */
  readonly clusterUid: string;
}

/** @throws KubeconfigError */
export function clusterConfig(access: KubernetesAccess): Promise<ClusterConfig> {
  return access.kind === 'inCluster' ? inClusterConfig(access) : loadKubeconfig(access);
}

const retry = { firstMs: 1000, maxMs: 30_000 };

/**
 * Asks the API server until it answers, one line in the log for each failure. Resolves with undefined when `signal` is
 * aborted before.
 */
export async function connect(
  client: KubeClient,
  logger: Logger,
  signal: AbortSignal,
): Promise<ClusterFacts | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      const version = await client.request<{ gitVersion?: string }>({ method: 'GET', path: '/version', signal });
      return { serverVersion: version.gitVersion ?? '', clusterUid: await clusterUid(client, signal) };
    } catch (error) {
      if (signal.aborted) break;
      const retryMs = doubledMs(failures, retry);
      const reason = errorMessage(error);
      logger.error(
        { server: client.config.server, accessFrom: client.config.source, retryInSeconds: retryMs / 1000 },
        `cannot work with the API server: ${reason}`,
      );
      await systemClock.sleep(retryMs, signal);
    }
  }
  return undefined;
}

export async function clusterUid(client: KubeClient, signal: AbortSignal): Promise<string> {
  return uidOf(await client.resource(namespaces).get({ name: 'kube-system' }, { signal }));
}
