import { burstDeletionCost, type BurstValue } from '../../podspec/contract.ts';
import type { ScheduleProfileSpec } from '../schedule-profile.ts';

/** Where the pods of a profile are: on nodes of the cluster, or on virtual nodes. */
export type Side = 'local' | 'cci';

export type SideCounts = Readonly<Record<Side, number>>;

/**
 * The side of the next pod, or none while its sides are full. `localPrefer` and `auto` fill the local side first; `enforce`
 * knows the other only.
 */
export function nextSide(
  strategy: BurstValue,
  location: ScheduleProfileSpec['location'],
  counts: SideCounts,
): Side | undefined {
  const sides: readonly Side[] = strategy === 'enforce' ? ['cci'] : strategy === 'off' ? ['local'] : ['local', 'cci'];
  return sides.find((side) => counts[side] < (location?.[side]?.maxNum ?? Number.POSITIVE_INFINITY));
}

/**
 * The pod deletion cost that stands for a scale-down priority: the higher the priority, the lower the cost. Undefined: the
 * pod needs none, Kubernetes' own is 0.
 */
export function deletionCostOn(side: Side, location: ScheduleProfileSpec['location']): number | undefined {
  const priority = location?.[side]?.scaleDownPriority;
  // Of an int32 the least has no opposite.
  if (priority !== undefined) return priority === 0 ? 0 : Math.min(-priority, 2 ** 31 - 1);
  return side === 'cci' ? burstDeletionCost : undefined;
}
