import type { PoolState } from './pool-state.ts';

export interface Report {
  /** False: only a restart of the process can help. */
  readonly healthy: boolean;
  /** Each pool is served here, or could be at once, and so is everything else that others call. */
  readonly ready: boolean;
  /** One for each pool, and for each server that others call. */
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

/** Of all pools, and of the servers of every replica, for the health checks. */
export class Standings {
  readonly #now: () => number;
  readonly #pools = new Map<string, () => PoolState>();
  /** Whether each can be called. */
  readonly #servers = new Map<string, boolean>();

  /** @param now monotonic milliseconds */
  constructor(pools: readonly string[], now: () => number = () => performance.now()) {
    this.#now = now;
    for (const pool of pools) this.set(pool, () => ({ kind: 'connecting' }));
  }

  /** @param state is asked whenever somebody wants to know */
  set(pool: string, state: () => PoolState): void {
    this.#pools.set(pool, state);
  }

  /** The process is not ready before this server can be called: until then a Service leads nobody here. @returns says that it can */
  awaitServer(name: string): () => void {
    this.#servers.set(name, false);
    return () => this.#servers.set(name, true);
  }

  report(): Report {
    const now = this.#now();
    const pools = [...this.#pools].map(([name, stateOf]) => ({ name, state: stateOf() }));
    return {
      healthy: !pools.some(({ state }) => state.kind === 'stopping' && now - state.sinceMs > longestStopMs),
      ready:
        pools.every(({ state: { kind } }) => kind === 'serving' || kind === 'standby') &&
        [...this.#servers.values()].every((isUp) => isUp),
      lines: [
        ...pools.map(({ name, state }) => `${name} ${words[state.kind]}`),
        ...Array.from(this.#servers, ([name, isUp]) => `${name} ${isUp ? 'active' : 'starting'}`),
      ],
    };
  }
}
