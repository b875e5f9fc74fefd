import { KubeClient, type Logger } from '@spillway/kube';
import type { Config } from '../config/config.ts';
import type { KubernetesAccess } from '../config/kubernetes-access.ts';
import { Metrics } from '../observability/metrics.ts';
import { clusterConfig, clusterUid, connect } from './connect.ts';
import { outboundAddress } from './outbound-address.ts';
import { Pool } from './pool.ts';
import { runTogether } from './task-group.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly access: KubernetesAccess;
  readonly version: string;
  readonly logger: Logger;
}

/**
 * Serves all pools until `signal` is aborted, and resolves when they are stopped in good order. Trouble that may pass is
 * logged and tried again.
 *
 * @throws KubeconfigError when there are no credentials to begin with
 */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const { logger, version } = options;
  const metrics = new Metrics();
  const client = new KubeClient({
    config: await clusterConfig(options.access),
    userAgent: `spillway/${version}`,
    logger,
    onRequest: (record) => metrics.recordRequest(record),
  });
  try {
    await servePools(options, client, metrics, signal);
  } finally {
    await client.close();
  }
}

async function servePools(
  { config, logger, version }: ServeOptions,
  client: KubeClient,
  metrics: Metrics,
  signal: AbortSignal,
): Promise<void> {
  const cluster = await connect(client, logger, signal);
  if (cluster === undefined) return;
  const clusterId = config.clusterId ?? cluster.clusterUid;
  logger.info({ server: client.config.server, version: cluster.serverVersion, clusterId }, 'connected to the cluster');
  const defaultAddress = config.pools.every(({ address }) => address !== undefined)
    ? ''
    : await outboundAddress(client.config.server, signal);
  const pools = config.pools.map(
    (pool) =>
      new Pool({
        config: pool,
        clusterId,
        serverVersion: cluster.serverVersion,
        ownVersion: version,
        address: pool.address ?? defaultAddress,
        controller: client,
        confirmCluster: async (pause) => (await clusterUid(client, pause)) === cluster.clusterUid,
        metrics,
        logger,
      }),
  );
  await runTogether(
    signal,
    pools.map((pool) => (stop) => pool.run(stop)),
  );
  logger.info({}, 'stopped; what runs on the backends goes on running');
}
