import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeClient, type KubeClientOptions, type Leadership, type Logger, runLeaderElection } from '@spillway/kube';
import { type LeaderElectionConfig, poolLeaseName } from '../config/config.ts';
import { Pool, type PoolOptions } from './pool.ts';
import type { Standings } from './standings.ts';

export interface ElectedPoolOptions {
  readonly election: LeaderElectionConfig;
  readonly identity: string;
  /** Holds the lease. */
  readonly client: KubeClient;
  /** For the clients of a leader, which send nothing when it is none any more. */
  readonly clientOptions: KubeClientOptions;
  readonly pool: PoolOptions;
  readonly standings: Standings;
  readonly logger: Logger;
}

/** Tells runs of processes apart, also on one machine. */
export const electionIdentity = (): string => `${hostname()}_${randomUUID()}`;

/** Serves a pool whenever this process is its leader; stands by otherwise. Resolves when `signal` is aborted and all has stopped. */
export async function runElected(options: ElectedPoolOptions, signal: AbortSignal): Promise<void> {
  const { election, identity, client, standings } = options;
  const { name: pool } = options.pool.config;
  const name = poolLeaseName(election, options.pool.config);
  const logger = options.logger.child({ pool, lease: `${election.namespace}/${name}` });
  standings.set(pool, 'standby');
  await runLeaderElection({
    client,
    namespace: election.namespace,
    name,
    identity,
    leaseDurationSeconds: election.leaseDurationSeconds,
    renewDeadlineSeconds: election.renewDeadlineSeconds,
    retryPeriodSeconds: election.retryPeriodSeconds,
    signal,
    onHolder: (leader) => {
      if (leader !== identity && leader !== '') logger.info({ leader }, 'standing by: another replica leads');
    },
    onError: (error) => logger.warn({ err: error }, 'cannot read or renew the lease; trying again'),
    lead: (leadership) => lead(options, leadership, logger),
  });
}

async function lead(
  { clientOptions, identity, pool, standings }: ElectedPoolOptions,
  leadership: Leadership,
  logger: Logger,
): Promise<void> {
  const { name } = pool.config;
  const controller = new KubeClient({ ...clientOptions, beforeSend: () => leadership.check() });
  logger.info({ identity }, 'leading');
  const served = new Pool({ ...pool, controller, leadership });
  standings.activate(name, () => served.ready);
  leadership.lost.addEventListener(
    'abort',
    () => {
      logger.warn({ err: leadership.lost.reason }, 'leadership lost; everything under way is given up');
      standings.set(name, 'stopping');
      void controller.close();
    },
    { once: true },
  );
  try {
    await served.run(leadership.signal);
  } catch (error) {
    // Torn down in the middle of its work.
    if (!leadership.lost.aborted) throw error;
    logger.warn({ err: error }, 'the pool ended with an error after the leadership was lost');
  } finally {
    await controller.close();
    standings.set(name, 'standby');
  }
  logger.info({}, leadership.lost.aborted ? 'stopped; standing by' : 'stopped');
}
