/** What this process is for a pool: `stopping` is a leader that lost its lease and has not ended all its work yet. */
export type Standing = 'active' | 'standby' | 'stopping';

/** For the health check. */
export class Standings {
  readonly #now: () => number;
  readonly #pools = new Map<string, { readonly standing: Standing; readonly since: number }>();

  /** @param now monotonic milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  set(pool: string, standing: Standing): void {
    this.#pools.set(pool, { standing, since: this.#now() });
  }

  /** One line for each pool, and whether one of them can only be helped by a restart of the process. */
  report(): { readonly healthy: boolean; readonly lines: readonly string[] } {
    const now = this.#now();
    const pools = [...this.#pools];
    return {
      healthy: !pools.some(([, { standing, since }]) => standing === 'stopping' && now - since > longestStopMs),
      lines: pools.map(([name, { standing }]) => `${name} ${standing}`),
    };
  }
}

const longestStopMs = 60_000;
