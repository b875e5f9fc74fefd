import type { PoolState } from './pool-state.ts';

export interface Report {
  /** False: only a restart of the process can help. */
  readonly healthy: boolean;
  /** Each pool is served here, or could be at once. */
  readonly ready: boolean;
  /** One for each pool. */
  readonly lines: readonly string[];
}

const longestStopMs = 60_000;

const words: Readonly<Record<PoolState['kind'], string>> = {
  connecting: 'starting',
  standby: 'standby',
  starting: 'active, not ready',
  serving: 'active',
  stopping: 'stopping',
};

/** Of all pools, for the health checks. */
export class Standings {
  readonly #now: () => number;
  readonly #pools = new Map<string, () => PoolState>();

  /** @param now monotonic milliseconds */
  constructor(pools: readonly string[], now: () => number = () => performance.now()) {
    this.#now = now;
    for (const pool of pools) this.set(pool, () => ({ kind: 'connecting' }));
  }

  /** @param state is asked whenever somebody wants to know */
  set(pool: string, state: () => PoolState): void {
    this.#pools.set(pool, state);
  }

  report(): Report {
    const now = this.#now();
    const pools = [...this.#pools].map(([name, stateOf]) => ({ name, state: stateOf() }));
    return {
      healthy: !pools.some(({ state }) => state.kind === 'stopping' && now - state.sinceMs > longestStopMs),
      ready: pools.every(({ state: { kind } }) => kind === 'serving' || kind === 'standby'),
      lines: pools.map(({ name, state }) => `${name} ${words[state.kind]}`),
    };
  }
}
