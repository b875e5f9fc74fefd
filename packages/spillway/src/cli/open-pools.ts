import { silentLogger } from '@spillway/kube';
import type { Config } from '../config/config.ts';
import type { OpenPool } from '../removal/clear-pool.ts';
import { makeBackend } from '../serve/backends.ts';

/** Runs `work` with the backends of all pools, and releases them afterwards. @param clusterId whose instances are meant */
export async function withPools<T>(
  config: Config,
  clusterId: string,
  work: (pools: readonly OpenPool[]) => Promise<T>,
): Promise<T> {
  const pools = config.pools.map((pool): OpenPool => {
    const owner = { clusterId, nodeName: pool.nodeName };
    const surroundings = { owner, environment: process.env, beforeSend: () => {}, logger: silentLogger };
    return { config: pool, backend: makeBackend(pool, surroundings) };
  });
  try {
    return await work(pools);
  } finally {
    await Promise.allSettled(pools.map(({ backend }) => backend.close()));
  }
}
