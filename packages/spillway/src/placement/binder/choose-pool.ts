import type { Node, Pod } from '@spillway/kube';
import { nodeTypeLabel } from '../../podspec/contract.ts';
import type { Resources } from '../../podspec/resources.ts';
import type { ClaimSources } from './claims.ts';
import { misfitOf } from './fits.ts';
import type { Misfit, Refusal } from './misfit.ts';

/** A pool as it is configured. */
export interface PlacementPool {
  readonly name: string;
  readonly nodeName: string;
  /** Why its backend cannot run a pod. Pure. */
  readonly review: (pod: Pod) => readonly Refusal[];
}

export interface Candidates {
  /** In the order of the configuration. */
  readonly pools: readonly PlacementPool[];
  readonly nodeOf: (pool: PlacementPool) => Node | undefined;
  readonly shortage: (nodeName: string, amounts: Resources) => string | undefined;
  readonly claims: ClaimSources;
  /** Types of virtual nodes that the pod's profile names; none: all. */
  readonly nodeTypes: readonly string[];
}

export type Choice =
  | { readonly pool: PlacementPool }
  /** By name of the pool; those whose node is not registered are left out. */
  | { readonly misfits: ReadonlyMap<string, Misfit> };

/** The first pool that can take the pod. */
export function choosePool(pod: Pod, amounts: Resources, candidates: Candidates): Choice {
  const misfits = new Map<string, Misfit>();
  for (const pool of candidates.pools) {
    const node = candidates.nodeOf(pool);
    if (node === undefined || !isOfType(node, candidates.nodeTypes)) continue;
    const shortage = (wanted: Resources): string | undefined => candidates.shortage(pool.nodeName, wanted);
    const misfit = misfitOf(pod, amounts, { node, review: pool.review, shortage }, candidates.claims);
    if (misfit === undefined) return { pool };
    misfits.set(pool.name, misfit);
  }
  return { misfits };
}

function isOfType(node: Node, types: readonly string[]): boolean {
  const own = node.metadata?.labels?.[nodeTypeLabel] ?? '';
  return types.length === 0 || types.includes(own);
}

/** Why the pod can never burst as it is: every pool that it may choose refuses it. */
export function refusalOf(misfits: ReadonlyMap<string, Misfit>): Misfit | undefined {
  const chosen = [...misfits.values()].filter(({ kind }) => kind !== 'selector');
  return chosen.every(({ kind }) => kind === 'refused') ? chosen[0] : undefined;
}
