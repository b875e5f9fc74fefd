/**
 * Why a pool does not take a pod. `refused`: nothing will change that but the pod; the others can change around it.
 */
export interface Misfit {
  readonly kind: 'selector' | 'refused' | 'claim' | 'topology' | 'taint' | 'blocked' | 'room';
  /** Stable code of a refusal, e.g. `host-namespace-unsupported`. */
  readonly code?: string;
  readonly message: string;
  /** What the user can do. */
  readonly remedy: string;
}

/** Why a pool's backend cannot run a pod, as its `review` says. */
export interface Refusal {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

/** For the condition of a pod that no pool takes: each pool with its reason and remedy. */
export function explainMisfits(misfits: ReadonlyMap<string, Misfit>): string {
  if (misfits.size === 0) return 'No pool is there yet. Look whether spillway serve runs and its nodes are registered.';
  return Array.from(misfits, ([pool, { message, remedy }]) => `Pool ${pool}: ${message}. ${remedy}.`).join(' ');
}
