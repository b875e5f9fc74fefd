import type { Pod } from '@spillway/kube';
import { deletionCostAnnotation } from '../../podspec/contract.ts';

/**
 * How often a scale-in took the wrong one: a Ready pod of a real node went although a Ready burst pod with a lower deletion
 * cost, which should have gone before it, stays. Where a user's costs say otherwise, that is no miss.
 */
export function missesOf(
  removed: readonly Pod[],
  kept: readonly Pod[],
  isVirtual: (nodeName: string) => boolean,
): number {
  const isBurst = ({ spec }: Pod): boolean => isVirtual(spec?.nodeName ?? '');
  const keptCosts = kept
    .filter(isBurst)
    .map(costOf)
    .toSorted((a, b) => a - b);
  const goneCosts = removed
    .filter((pod) => !isBurst(pod))
    .map(costOf)
    .toSorted((a, b) => b - a);
  let misses = 0;
  for (const cost of goneCosts) if ((keptCosts[misses] ?? Number.POSITIVE_INFINITY) < cost) misses += 1;
  return misses;
}

function costOf({ metadata }: Pod): number {
  return Number(metadata?.annotations?.[deletionCostAnnotation] ?? 0);
}
