import type { Node, Pod } from '@spillway/kube';
import { burstScheduler } from '../../podspec/contract.ts';
import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { selectsNode, untoleratedTaints } from '../../podspec/fit/node-match.ts';
import type { PodPolicy } from './pod-policy.ts';

/**
 * Whose turn it is to place a pod: `scheduler`: not ours before the pod changes; `elsewhere`: not ours either, because more
 * room on real nodes would not help it, as far as we know them now; `later`: ours from then on, if nothing changes; `ours`:
 * a pool may take it now.
 */
export type Turn =
  | { readonly kind: 'scheduler' }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'ours'; readonly why: 'enforce' | 'overflow' };

export interface OverflowRules {
  readonly nowMs: number;
  /** How long a pod has been Unschedulable before it may overflow. */
  readonly delayMs: number;
  /** The nodes of the cluster, virtual ones excluded. */
  readonly realNodes: () => Iterable<Node>;
}

const notOurs: Turn = { kind: 'scheduler' };

/** The message of the condition is for people and never read here: schedulers word it differently. */
export function turnOf(pod: Pod, policy: PodPolicy | undefined, rules: OverflowRules): Turn {
  const { spec, status } = pod;
  if (policy === undefined || policy.value === 'off') return notOurs;
  if ((spec?.nodeName ?? '') !== '' || isDeleting(pod) || isTerminalPhase(status?.phase)) return notOurs;
  // Pods of a group are placed together or not at all, which only their scheduler can do.
  if ((spec?.schedulingGates ?? []).length > 0 || spec?.schedulingGroup !== undefined) return notOurs;
  if (spec?.schedulerName === burstScheduler) return { kind: 'ours', why: 'enforce' };

  const since = unschedulableSince(pod);
  if (since === undefined) return notOurs;
  // A preemption is under way: its victim would die for nothing.
  if ((status?.nominatedNodeName ?? '') !== '') return notOurs;
  if (policy.value === 'enforce') return { kind: 'ours', why: 'enforce' };
  if (!isMatterOfRoom(pod, rules.realNodes())) return { kind: 'elsewhere' };
  const atMs = since + rules.delayMs;
  return rules.delayMs > 0 && rules.nowMs < atMs ? { kind: 'later', atMs } : { kind: 'ours', why: 'overflow' };
}

/** When the scheduler gave up on the pod, in milliseconds since the epoch. */
function unschedulableSince({ status }: Pod): number | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return undefined;
  const since = Date.parse(condition.lastTransitionTime ?? '');
  return Number.isNaN(since) ? 0 : since;
}

/**
 * Would the pod run on a real node if there were room? So it is when a node passes the pod's selector, affinity and taints,
 * and when no real node takes pods at all: then nothing can be concluded from them.
 */
function isMatterOfRoom(pod: Pod, realNodes: Iterable<Node>): boolean {
  let anyOpen = false;
  for (const node of realNodes) {
    if (!isOpen(node)) continue;
    anyOpen = true;
    if (selectsNode(pod, node) && untoleratedTaints(pod.spec?.tolerations ?? [], node.spec?.taints ?? []).length === 0)
      return true;
  }
  return !anyOpen;
}

/** Neither cordoned nor broken nor reserved for the control plane. */
function isOpen({ spec }: Node): boolean {
  const closing = (spec?.taints ?? []).some(
    ({ key, effect }) => effect !== 'PreferNoSchedule' && /^node(-role)?(\.cloudprovider)?\.kubernetes\.io\//.test(key),
  );
  return spec?.unschedulable !== true && !closing;
}
