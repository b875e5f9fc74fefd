import { poolLeaseName } from '../config/config.ts';
import { type ElectedOptions, runElected } from './elected.ts';
import { assemblePool, type PoolOptions } from './assemble.ts';
import type { PoolState } from './pool-state.ts';
import type { Standings } from './standings.ts';

export interface ElectedPoolOptions extends Omit<ElectedOptions, 'leaseName'> {
  readonly pool: PoolOptions;
  readonly standings: Standings;
}

const standby = (): PoolState => ({ kind: 'standby' });

/** Serves a pool whenever this process is its leader; stands by otherwise. Resolves when `signal` is aborted and all has stopped. */
export async function runElectedPool(options: ElectedPoolOptions, signal: AbortSignal): Promise<void> {
  const { election, pool, standings } = options;
  const { name } = pool.config;
  const leaseName = poolLeaseName(election, pool.config);
  const logger = options.logger.child({ pool: name, lease: `${election.namespace}/${leaseName}` });
  standings.set(name, standby);
  await runElected(
    { ...options, leaseName, logger },
    async (controller, leadership) => {
      const served = assemblePool({ ...pool, controller, leadership });
      standings.set(name, () => served.state);
      try {
        await served.run(leadership.signal);
      } finally {
        standings.set(name, standby);
      }
    },
    signal,
  );
}
