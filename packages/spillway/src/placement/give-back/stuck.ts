import { controllerOf, type Pod } from '@spillway/kube';
import { noRoomReasons, notBurstableAnnotation, notSupportedReason } from '../../podspec/contract.ts';
import { isDeleting, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { policyOf } from '../binder/pod-policy.ts';

/** Why a bound pod would be better off elsewhere, as its node says in the waiting reason of a container. */
export interface Stuck {
  /** `noRoom`: its pool has no room for it; `refused`: its pool does not run it as it is. */
  readonly cause: 'noRoom' | 'refused';
  readonly reason: string;
}

const noRoom: ReadonlySet<string> = new Set(Object.values(noRoomReasons));

/**
 * Only a pod that never started, that may run on real nodes, and whose controller makes another one where the scheduler likes. One
 * that was told already stays: its successor would come here again.
 */
export function stuckOf(pod: Pod): Stuck | undefined {
  const controller = controllerOf(pod);
  if (controller === undefined || controller.kind === 'DaemonSet') return undefined;
  if (isDeleting(pod) || statusShowsItRan(pod)) return undefined;
  const policy = policyOf(pod)?.value;
  if (policy === 'enforce') return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const reasons = [...initContainerStatuses, ...containerStatuses].map(({ state }) => state?.waiting?.reason ?? '');
  if (reasons.includes(notSupportedReason)) {
    const isTold = pod.metadata?.annotations?.[notBurstableAnnotation] !== undefined;
    return isTold ? undefined : { cause: 'refused', reason: notSupportedReason };
  }
  const reason = policy === 'auto' || policy === 'localPrefer' ? reasons.find((each) => noRoom.has(each)) : undefined;
  return reason === undefined ? undefined : { cause: 'noRoom', reason };
}
