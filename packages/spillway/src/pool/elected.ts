import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeClient, type KubeClientOptions, type Leadership, type Logger, runLeaderElection } from '@spillway/kube';
import type { LeaderElectionConfig } from '../config/config.ts';

export interface ElectedOptions {
  readonly election: LeaderElectionConfig;
  readonly leaseName: string;
  readonly identity: string;
  /** Holds the lease. */
  readonly client: KubeClient;
  /** For the clients of a leader, which send nothing when it is none any more. */
  readonly clientOptions: KubeClientOptions;
  readonly logger: Logger;
}

/** What is done while this process leads, with a client that sends nothing once it does not. */
export type Lead = (controller: KubeClient, leadership: Leadership) => Promise<void>;

/** Tells runs of processes apart, also on one machine. */
export const electionIdentity = (): string => `${hostname()}_${randomUUID()}`;

/** Holds the lease in the place of those who could serve. */
const removalPrefix = 'uninstall-';
export const removalIdentity = (): string => `${removalPrefix}${electionIdentity()}`;
export const isRemoval = (identity: string): boolean => identity.startsWith(removalPrefix);

/** Leads whenever this process holds the lease; stands by otherwise. Resolves when `signal` is aborted and all has stopped. */
export async function runElected(options: ElectedOptions, work: Lead, signal: AbortSignal): Promise<void> {
  const { election, leaseName, identity, client, logger } = options;
  await runLeaderElection({
    client,
    namespace: election.namespace,
    name: leaseName,
    identity,
    leaseDurationSeconds: election.leaseDurationSeconds,
    renewDeadlineSeconds: election.renewDeadlineSeconds,
    retryPeriodSeconds: election.retryPeriodSeconds,
    signal,
    onHolder: (leader) => {
      if (leader === identity || leader === '') return;
      if (isRemoval(leader)) logger.warn({ leader }, 'standing by: Spillway is being uninstalled');
      else logger.info({ leader }, 'standing by: another replica leads');
    },
    onError: (error) => logger.warn({ err: error }, 'cannot read or renew the lease; trying again'),
    lead: (leadership) => lead(options, work, leadership),
  });
}

async function lead(
  { clientOptions, identity, logger }: ElectedOptions,
  work: Lead,
  leadership: Leadership,
): Promise<void> {
  const controller = new KubeClient({ ...clientOptions, beforeSend: () => leadership.check() });
  logger.info({ identity }, 'leading');
  leadership.lost.addEventListener(
    'abort',
    () => {
      logger.warn({ err: leadership.lost.reason }, 'leadership lost; everything in progress is cancelled');
      void controller.close();
    },
    { once: true },
  );
  try {
    await work(controller, leadership);
  } catch (error) {
    // Torn down in the middle of its work.
    if (!leadership.lost.aborted) throw error;
    logger.warn({ err: error }, 'ended with an error after the leadership was lost');
  } finally {
    await controller.close();
  }
  logger.info({}, leadership.lost.aborted ? 'stopped; standing by' : 'stopped');
}
