import { controllerOf, type Pod } from '@spillway/kube';
import { noRoomReasons } from '../../podspec/contract.ts';
import { isDeleting, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { policyOf } from '../binder/pod-policy.ts';

const reasons: ReadonlySet<string> = new Set(Object.values(noRoomReasons));

/**
 * Why a bound pod would be better off elsewhere: its pool has no room for it, it never started, it may run on real nodes, and
 * its controller makes another one. As the node says it in the waiting reason of a container.
 */
export function stuckReason(pod: Pod): string | undefined {
  const policy = policyOf(pod)?.value;
  if (policy !== 'auto' && policy !== 'localPrefer') return undefined;
  if (controllerOf(pod) === undefined || isDeleting(pod) || statusShowsItRan(pod)) return undefined;
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses]
    .map(({ state }) => state?.waiting?.reason ?? '')
    .find((reason) => reasons.has(reason));
}
