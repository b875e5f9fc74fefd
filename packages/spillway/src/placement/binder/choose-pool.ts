import type { Node, Pod } from '@spillway/kube';
import { nodeTypeLabel } from '../../podspec/contract.ts';
import type { ClaimSources } from '../../podspec/claims.ts';
import { fitOf, type Misfit, type Pool, type PoolFit } from '../../podspec/fit/fit.ts';
import type { Resources } from '../../podspec/resources.ts';

export interface Candidates {
  /** In the order of the configuration. */
  readonly pools: readonly Pool[];
  readonly nodeOf: (pool: Pool) => Node | undefined;
  readonly shortage: (nodeName: string, amounts: Resources) => string | undefined;
  readonly claims: ClaimSources;
  /** Types of virtual nodes that the pod's profile names; none: all. */
  readonly nodeTypes: readonly string[];
}

export type Choice =
  | { readonly pool: Pool }
  /** Pools whose node is not registered are left out. */
  | { readonly misfits: readonly PoolFit<Misfit>[] };

/** The first pool that can take the pod. */
export function choosePool(pod: Pod, candidates: Candidates): Choice {
  const { claims } = candidates;
  const misfits: PoolFit<Misfit>[] = [];
  for (const pool of candidates.pools) {
    const node = candidates.nodeOf(pool);
    if (node === undefined || !isOfType(node, candidates.nodeTypes)) continue;
    const shortage = (wanted: Resources): string | undefined => candidates.shortage(pool.nodeName, wanted);
    const fit = fitOf(pod, pool, { node, claims, shortage });
    if (fit.kind === 'fits') return { pool };
    misfits.push({ pool, fit });
  }
  return { misfits };
}

function isOfType(node: Node, types: readonly string[]): boolean {
  const own = node.metadata?.labels?.[nodeTypeLabel] ?? '';
  return types.length === 0 || types.includes(own);
}
