/**
 * What this process is for a pool. `starting`: not connected to the cluster yet; `stopping`: a leader that lost its lease
 * and has not ended all its work.
 */
export type Standing = 'starting' | 'active' | 'standby' | 'stopping';

interface Entry {
  readonly standing: Standing;
  readonly since: number;
  /** Of an active one: does it know all it needs to do its work? */
  readonly ready: () => boolean;
}

export interface Report {
  /** False: only a restart of the process can help. */
  readonly healthy: boolean;
  /** Each pool is served here, or could be at once. */
  readonly ready: boolean;
  /** One for each pool. */
  readonly lines: readonly string[];
}

const longestStopMs = 60_000;

/** For the health checks. */
export class Standings {
  readonly #now: () => number;
  readonly #pools = new Map<string, Entry>();

  /** @param now monotonic milliseconds */
  constructor(pools: readonly string[], now: () => number = () => performance.now()) {
    this.#now = now;
    for (const pool of pools) this.set(pool, 'starting');
  }

  set(pool: string, standing: Exclude<Standing, 'active'>): void {
    this.#pools.set(pool, { standing, since: this.#now(), ready: () => standing === 'standby' });
  }

  activate(pool: string, ready: () => boolean): void {
    this.#pools.set(pool, { standing: 'active', since: this.#now(), ready });
  }

  report(): Report {
    const now = this.#now();
    const pools = [...this.#pools].map(([name, { standing, since, ready }]) => ({
      stuck: standing === 'stopping' && now - since > longestStopMs,
      ready: ready(),
      line: `${name} ${standing}${standing === 'active' && !ready() ? ', not ready' : ''}`,
    }));
    return {
      healthy: !pools.some(({ stuck }) => stuck),
      ready: pools.every((pool) => pool.ready),
      lines: pools.map(({ line }) => line),
    };
  }
}
