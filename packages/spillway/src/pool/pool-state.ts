/** What this process is for a pool. */
export type PoolState =
  /** Not connected to the cluster yet. */
  | { readonly kind: 'connecting' }
  /** Another replica serves it. */
  | { readonly kind: 'standby' }
  | Starting
  | Serving
  | Stopping;

/** It serves, as far as it can without what it lacks. */
export interface Starting {
  readonly kind: 'starting';
  readonly lacks: readonly Need[];
}

/** The node is registered, its API is served, and its pods and instances are known completely. */
export interface Serving {
  readonly kind: 'serving';
}

/** The lease is lost, and not all work has ended. */
export interface Stopping {
  readonly kind: 'stopping';
  /** Monotonic milliseconds. */
  readonly sinceMs: number;
}

const needs = ['pods', 'node', 'kubelet API'] as const;

export type Need = (typeof needs)[number];

export function startingOrServing(has: Readonly<Record<Need, boolean>>): Starting | Serving {
  const lacks = needs.filter((need) => !has[need]);
  return lacks.length > 0 ? { kind: 'starting', lacks } : { kind: 'serving' };
}

export function stopping(sinceMs: number): Stopping {
  return { kind: 'stopping', sinceMs };
}
