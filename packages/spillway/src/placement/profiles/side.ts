import type { Pod } from '@spillway/kube';
import {
  burstDeletionCost,
  type BurstValue,
  deletionCostAnnotation,
  profileSideAnnotation,
} from '../../podspec/contract.ts';
import type { ScheduleProfileSpec } from '../rules/schedule-profile.ts';

/** Where the pods of a profile are: on nodes of the cluster, or on virtual nodes. */
export type Side = 'local' | 'cci';

export type SideCounts = Readonly<Record<Side, number>>;

/**
 * The side of the next pod, or none while its sides are full. `localPrefer` and `auto` fill the local side first, and have no
 * other when no pool runs the pod; `enforce` knows the other only.
 */
export function nextSide(
  strategy: BurstValue,
  location: ScheduleProfileSpec['location'],
  counts: SideCounts,
  mayBurst: () => boolean,
): Side | undefined {
  const sides: readonly Side[] = strategy === 'enforce' ? ['cci'] : strategy === 'off' ? ['local'] : ['local', 'cci'];
  const side = sides.find((each) => counts[each] < (location?.[each]?.maxNum ?? Number.POSITIVE_INFINITY));
  return side === 'cci' && strategy !== 'enforce' && !mayBurst() ? undefined : side;
}

/**
 * May a pod with a local place burst when real nodes have no room for it? Not when the other side has a limit: it would take
 * a place there that it was not given.
 */
export const mayLeave = (strategy: BurstValue, location: ScheduleProfileSpec['location']): boolean =>
  strategy !== 'off' && location?.cci?.maxNum === undefined;

/**
 * The pod deletion cost to write on a pod that is on this side; undefined: it has the right one, or its user's, or needs none.
 */
export function deletionCostToWrite(
  pod: Pod,
  side: Side,
  location: ScheduleProfileSpec['location'],
): string | undefined {
  const { annotations } = pod.metadata ?? {};
  const wanted = deletionCostOn(side, location)?.toString();
  const present = annotations?.[deletionCostAnnotation];
  if (present === undefined) return wanted;
  // It came with the local place, which the pod has left.
  const isLeft = side === 'cci' && annotations?.[profileSideAnnotation] === 'local';
  return isLeft && present === deletionCostOn('local', location)?.toString() && present !== wanted ? wanted : undefined;
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
