import { controllerOf, nameOf, namespaceOf, type Pod, uidOf } from '@spillway/kube';
import { burstLabelOf } from '../podspec/contract.ts';
import { type AskPools, refusedByAll } from '../podspec/fit/fit.ts';
import { isDeleting, isReady, isTerminalPhase } from '../podspec/pod-facts.ts';
import { sentences } from '../podspec/words.ts';
import { workloadOf } from '../podspec/workload-of.ts';
import { type AddOn, runningOf, type Workload } from './add-on.ts';

/** Pods of one owner on the add-on's node, and what becomes of them. */
export interface Move {
  readonly namespace: string;
  /** Of the owner: the Deployment rather than its ReplicaSet. `Pod` if it has none. */
  readonly kind: string;
  readonly name: string;
  readonly pods: readonly string[];
  /**
   * `evicted`: its owner creates it again; `rolledOut`: as a new version of its owner, whose pods get the burst label with it;
   * `finishes`: of a Job, whose work would begin anew; `stays`: nobody would create it again; `refused`: no pool of Spillway runs it.
   */
  readonly fate: 'evicted' | 'rolledOut' | 'finishes' | 'stays' | 'refused';
  readonly why?: string;
  readonly remedy?: string;
  /** With `rolledOut`: what its pod template gets. */
  readonly label?: { readonly key: string; readonly value: string };
}

export const movesAway = ({ fate }: Move): boolean => fate === 'evicted' || fate === 'rolledOut';

const inOrder = (a: Move, b: Move): number =>
  `${a.namespace}/${a.kind}/${a.name}` < `${b.namespace}/${b.kind}/${b.name}` ? -1 : 1;

/** What becomes of the pods on the add-on's node. Those of DaemonSets go with the node. */
export function movesOf(addOn: Pick<AddOn, 'pods' | 'workloads'>, ask: AskPools): readonly Move[] {
  const pods = runningOf(addOn).filter((pod) => controllerOf(pod)?.kind !== 'DaemonSet');
  const byOwner = Map.groupBy(pods, (pod) => {
    const { kind, name } = workloadOf(pod) ?? { kind: 'Pod', name: nameOf(pod) };
    return `${namespaceOf(pod)}/${kind}/${name}`;
  });
  return Array.from(byOwner.values(), (own) => moveOf(own, addOn.workloads, ask)).toSorted(inOrder);
}

function moveOf(pods: readonly Pod[], workloads: readonly Workload[], ask: AskPools): Move {
  const [pod] = pods;
  if (pod === undefined) throw new TypeError('a workload without pods moves nowhere');
  const namespace = namespaceOf(pod);
  const owner = workloadOf(pod);
  const { kind, name } = owner ?? { kind: 'Pod', name: nameOf(pod) };
  const move = { namespace, kind, name, pods: pods.map(nameOf).toSorted() };
  if (owner === undefined) {
    const why = 'it has no owner that would create it again';
    return { ...move, fate: 'stays', why, remedy: 'Delete it, and create it again' };
  }
  if (kind === 'Job') {
    return { ...move, fate: 'finishes', why: 'its work would begin anew', remedy: 'Wait until the Job has ended' };
  }
  const refused = [...refusedByAll(ask(pod))];
  const [first] = refused[0]?.[1] ?? [];
  if (first !== undefined) {
    const why = refused.map(([pool, reasons]) => `pool ${pool}: ${reasons.map(({ message }) => message).join('; ')}`);
    return { ...move, fate: 'refused', why: why.join('. '), remedy: first.remedy };
  }
  const workload = workloads.find(
    (each) => each.kind === kind && nameOf(each) === name && namespaceOf(each) === namespace,
  );
  const own = burstLabelOf(workload?.metadata?.labels);
  const inTemplate = burstLabelOf(workload?.spec?.template.metadata?.labels);
  if (own.kind === 'valid' && inTemplate.kind === 'absent') {
    const label = { key: own.label, value: own.value };
    return { ...move, fate: 'rolledOut', label, why: `its pod template gets the label ${own.label}=${own.value}` };
  }
  const isUnlabelled = burstLabelOf(pod.metadata?.labels).kind === 'absent';
  const why = 'without a burst label, and unless a ScheduleProfile says so, its new pods run on nodes of the cluster';
  return { ...move, fate: 'evicted', ...(isUnlabelled && { why }) };
}

/** What is to be done next about one workload. */
export type Step =
  | { readonly kind: 'evict'; readonly pods: readonly Pod[] }
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' }
  /** The add-on's node takes pods that are younger than the move. */
  | { readonly kind: 'returns'; readonly pod: string };

export interface Situation {
  /** All pods of the workload. */
  readonly pods: readonly Pod[];
  /** Names of the add-on's nodes. */
  readonly addOnNodes: ReadonlySet<string>;
  /** UIDs of the pods that were on them when they were cordoned. */
  readonly known: ReadonlySet<string>;
  /** How many of the owner's pods are to be ready in the end. */
  readonly wanted: number;
  readonly ordered: boolean;
  /** Its owner ends the old pods by itself. */
  readonly rollsOut: boolean;
}

/**
 * Pods go only while at most a quarter of those that are wanted is away, and at least one; of a StatefulSet, which has an order, one
 * at a time. Those that are not ready serve nobody, and go first.
 */
export function nextStep({ pods, addOnNodes, known, wanted, ordered, rollsOut }: Situation): Step {
  const live = pods.filter(({ status }) => !isTerminalPhase(status?.phase));
  const there = live.filter(({ spec }) => addOnNodes.has(spec?.nodeName ?? ''));
  const left = there.filter((pod) => !isDeleting(pod));
  const returned = left.find((pod) => !known.has(uidOf(pod)));
  if (returned !== undefined) return { kind: 'returns', pod: nameOf(returned) };
  const leaving = there.length - left.length;
  const ready = live.filter((pod) => isReady(pod) && !isDeleting(pod)).length;
  const missing = Math.max(0, wanted - ready);
  if (there.length === 0) return { kind: missing === 0 ? 'done' : 'wait' };
  if (rollsOut) return { kind: 'wait' };
  const atOnce = ordered ? 1 : Math.max(1, Math.floor(wanted / 4));
  const idle = left.filter((pod) => !isReady(pod)).slice(0, Math.max(0, atOnce - leaving));
  const free = atOnce - Math.max(missing, leaving);
  const next = idle.length > 0 ? idle : left.filter(isReady).slice(0, Math.max(0, free));
  return next.length > 0 ? { kind: 'evict', pods: next } : { kind: 'wait' };
}

/** Why a workload does not get on, as its pods tell it. */
export function troubleOf({ pods, addOnNodes }: Pick<Situation, 'pods' | 'addOnNodes'>): string {
  const live = pods.filter(({ status }) => !isTerminalPhase(status?.phase));
  const ending = live.find((pod) => isDeleting(pod) && addOnNodes.has(pod.spec?.nodeName ?? ''));
  if (ending !== undefined) return `pod ${nameOf(ending)} is being deleted and does not end: does the add-on run?`;
  const waiting = live.find((pod) => !isReady(pod) && !addOnNodes.has(pod.spec?.nodeName ?? ''));
  if (waiting === undefined) return 'its owner has not created new pods';
  const { conditions = [], containerStatuses = [] } = waiting.status ?? {};
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.message;
  const container = containerStatuses.find(({ state }) => state?.waiting !== undefined)?.state?.waiting;
  const said = unscheduled ?? (container && sentences(container.reason, container.message));
  return `pod ${nameOf(waiting)} is not ready${said === undefined ? '' : `: ${said}`}`;
}
