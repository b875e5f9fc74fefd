import { KubeClient, type KubeClientOptions, type Logger, type Pod, Sharing } from '@spillway/kube';
import { type Config, placementLeaseName, type PoolConfig } from '../config/config.ts';
import type { KubernetesAccess } from '../config/kubernetes-access.ts';
import { Metrics } from '../observability/metrics.ts';
import { makeBackend } from './backends.ts';
import { clusterConfig, clusterUid, connect } from './connect.ts';
import { remedyOf } from './missing-rights.ts';
import { outboundAddress } from './outbound-address.ts';
import { serveAdmission } from './admission.ts';
import { HealthServer } from './health-server.ts';
import { ServedLink } from './link.ts';
import { assemblePool, type PoolOptions } from '../pool/assemble.ts';
import { electionIdentity, runElected } from '../pool/elected.ts';
import { runElectedPool } from '../pool/elected-pool.ts';
import { placementLanes, runPlacement } from './placement.ts';
import { Standings } from '../pool/standings.ts';
import { runTogether } from '../pool/task-group.ts';

export interface ServeOptions {
  readonly config: Config;
  readonly access: KubernetesAccess;
  readonly version: string;
  readonly environment: NodeJS.ProcessEnv;
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
  const clientOptions: KubeClientOptions = {
    config: await clusterConfig(options.access),
    userAgent: `spillway/${version}`,
    logger,
    onRequest: (record) => metrics.recordRequest(record),
    remedyOf,
    lanes: { ...placementLanes, tolerations: { qps: 50, burst: 50, concurrency: 1 } },
  };
  const client = new KubeClient(clientOptions);
  const standings = new Standings(options.config.pools.map(({ name }) => name));
  const { healthPort } = options.config.observability;
  // Also when no pool gives agents to new pods any more: those that run have theirs.
  const isLinked = options.config.link.image !== undefined;
  const shared = { config: options.config, client, metrics, logger };
  const link = isLinked ? new ServedLink({ ...shared, onReady: standings.awaitServer('link') }) : undefined;
  const onWebhooksReady = options.config.admission.enabled ? standings.awaitServer('webhooks') : undefined;
  try {
    await runTogether(signal, [
      (stop) => servePools(options, { client, clientOptions, metrics, standings, link }, stop),
      ...(link === undefined ? [] : [(stop: AbortSignal) => link.run(stop)]),
      ...(healthPort === undefined
        ? []
        : [(stop: AbortSignal) => new HealthServer({ standings, logger }).run(healthPort, stop)]),
      ...(onWebhooksReady === undefined
        ? []
        : [(stop: AbortSignal) => serveAdmission({ ...shared, onReady: onWebhooksReady }, stop)]),
    ]);
  } finally {
    await client.close();
  }
}

interface Parts {
  readonly client: KubeClient;
  /** To make more like it. */
  readonly clientOptions: KubeClientOptions;
  readonly metrics: Metrics;
  readonly standings: Standings;
  readonly link: ServedLink | undefined;
}

async function servePools(
  { config, environment, logger, version }: ServeOptions,
  { client, clientOptions, metrics, standings, link }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const cluster = await connect(client, logger, signal);
  if (cluster === undefined) return;
  const clusterId = config.clusterId ?? cluster.clusterUid;
  logger.info({ server: client.config.server, version: cluster.serverVersion, clusterId }, 'connected to the cluster');
  const podSharing = new Sharing<Pod>();
  const defaultAddress = config.pools.every(({ address }) => address !== undefined)
    ? ''
    : await outboundAddress(client.config.server, signal);
  const optionsOf = (pool: PoolConfig): PoolOptions => ({
    config: pool,
    clusterId,
    makeBackend: (owner, poolLogger, beforeSend) =>
      makeBackend(pool, { owner, environment, beforeSend, logger: poolLogger }),
    serverVersion: cluster.serverVersion,
    ownVersion: version,
    address: pool.address ?? defaultAddress,
    controller: client,
    confirmCluster: async (pause) => (await clusterUid(client, pause)) === cluster.clusterUid,
    podSharing,
    link: pool.interconnect === 'agent' ? link?.podLink(pool, pool.address ?? defaultAddress) : undefined,
    ledgerDirectory: config.ledger.directory,
    metrics,
    logger,
  });
  const { leaderElection: election } = config;
  const identity = electionIdentity();
  const serveOne = (pool: PoolConfig, stop: AbortSignal): Promise<void> => {
    const options = optionsOf(pool);
    if (election.enabled) {
      return runElectedPool({ election, identity, client, clientOptions, pool: options, standings, logger }, stop);
    }
    const served = assemblePool(options);
    standings.set(pool.name, () => served.state);
    return served.run(stop);
  };
  const place = (stop: AbortSignal): Promise<void> => {
    const run = (placing: KubeClient, until: AbortSignal): Promise<void> =>
      runPlacement({ config, client: placing, podSharing, metrics, logger }, until);
    if (!election.enabled) return run(client, stop);
    const leaseName = placementLeaseName(election);
    const own = logger.child({ lease: `${election.namespace}/${leaseName}` });
    return runElected(
      { election, leaseName, identity, client, clientOptions, logger: own },
      (leader, leadership) => run(leader, leadership.signal),
      stop,
    );
  };
  await runTogether(signal, [
    ...config.pools.map((pool) => (stop: AbortSignal) => serveOne(pool, stop)),
    ...(config.placement.enabled ? [place] : []),
  ]);
  logger.info({}, 'stopped; instances on the backends keep running');
}
