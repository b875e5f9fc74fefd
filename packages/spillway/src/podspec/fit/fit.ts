import type { Node, Pod, Taint } from '@spillway/kube';
import type { Reason, Refusal } from '../review/refusal.ts';
import type { RuleSetName } from '../sizing/rule-sets.ts';
import { type Sized, sizePod, type Sizing } from '../sizing/size-pod.ts';
import type { ClaimSources } from '../claims.ts';
import { type Adaptation, adaptationsOf } from './adaptations.ts';
import { claimRefusals } from './claims.ts';
import { diskRefusals } from './disk.ts';
import { fieldRefusals } from './fields.ts';
import { hindranceOf, type NotNow, type Surroundings } from './hindrance.ts';
import { selectionProblem } from './node-match.ts';
import type { Support } from './support.ts';

/** What pods can be in a pool, whatever else is there. */
export interface PoolOffer {
  readonly support: Support;
  readonly sizing: RuleSetName;
}

/** A pool as it is configured. */
export interface Pool extends PoolOffer {
  readonly name: string;
  readonly nodeName: string;
  /** Of its node, without those that come and go. */
  readonly taints: readonly Taint[];
}

/** Does a pool run a pod? */
export type Fit = Fits | Misfit;

export interface Fits {
  readonly kind: 'fits';
  /** What it is billed as, and what each container gets. */
  readonly sized: Sized;
  /** What the pod does not get as it was written. */
  readonly adaptations: readonly Adaptation[];
}

/** At least one reason each. */
export type Misfit =
  /** Only another pod would do. */
  | { readonly kind: 'refused'; readonly reasons: readonly Refusal[] }
  /** The pod is not for this pool. */
  | { readonly kind: 'selector'; readonly reasons: readonly Reason[] }
  /** Something around the pod has to change. */
  | { readonly kind: NotNow; readonly reasons: readonly Reason[]; readonly sized: Sized };

/**
 * The only answer to whether a pod runs in a pool, and in which size: admission, `plan`, the binder, the pool itself, `why` and
 * `doctor` all ask here. Pure. What only a change of the pod can mend is said first, so that a pool without room does not hide it.
 */
export function fitOf(pod: Pod, offer: PoolOffer, around: Surroundings = {}): Fit {
  const sized = sizePod(pod.spec ?? { containers: [] }, offer.sizing, offer.support.addedContainers);
  const refusals = refusalsOf(pod, offer.support, sized, around.claims);
  if (sized.kind === 'refused' || refusals.length > 0) return { kind: 'refused', reasons: refusals };
  const unselected = around.node && selectionProblem(pod, around.node);
  if (unselected) return { kind: 'selector', reasons: [{ code: 'selector', ...unselected }] };
  const hindrance = hindranceOf(pod, around);
  if (hindrance === undefined) return { kind: 'fits', sized, adaptations: adaptationsOf(pod, offer.support) };
  const { kind, problem } = hindrance;
  return { kind, reasons: [{ code: kind, ...problem }], sized };
}

/** What one of several pools says. */
export interface PoolFit<T extends Fit = Fit> {
  readonly pool: Pool;
  readonly fit: T;
}

/** Each pool's answer; at once, because nothing is waited for while a request is answered. */
export type AskPools = (pod: Pod) => readonly PoolFit[];

/**
 * Asks pools about pods that come later: how the nodes are at the moment does not count.
 *
 * @param nodeOf undefined: what the node has is not looked at
 */
export function askPools(pools: readonly Pool[], nodeOf: (nodeName: string) => Node | undefined): AskPools {
  return (pod) =>
    pools.map((pool) => {
      const node = nodeOf(pool.nodeName);
      return { pool, fit: fitOf(pod, pool, { node: node && { metadata: node.metadata ?? {} } }) };
    });
}

/**
 * Why a pod can run in none of the pools as it is, by name of the pool: each that it selects refuses it. Empty: one of them
 * may take it, or there is none.
 */
export function refusedByAll(fits: Iterable<PoolFit>): ReadonlyMap<string, readonly Refusal[]> {
  const refused = new Map<string, readonly Refusal[]>();
  for (const { pool, fit } of fits) {
    if (fit.kind === 'selector') continue;
    if (fit.kind !== 'refused') return new Map();
    refused.set(pool.name, fit.reasons);
  }
  return refused;
}

function refusalsOf(pod: Pod, support: Support, sizing: Sizing, claims?: ClaimSources): readonly Refusal[] {
  const refusals = [
    ...fieldRefusals(pod, support.fields),
    ...support.alsoRefused(pod),
    ...diskRefusals(pod, support),
    ...claimRefusals(pod, support, claims),
    ...(sizing.kind === 'refused' ? sizing.refusals : []),
  ];
  // Both a table and a rule set may know that something is not there.
  const distinct = new Map(refusals.map((each) => [`${each.code} ${each.field}`, each]));
  return Array.from(distinct.values(), (each) => withContainer(each, pod));
}

/** Names the container that the field belongs to. */
function withContainer<T extends Reason>(reason: T, { spec }: Pod): T {
  const [, list, index] = /^spec\.(containers|initContainers)\[(\d+)\]/.exec(reason.field) ?? [];
  const container = spec?.[list === 'initContainers' ? list : 'containers']?.[Number(index)]?.name;
  return list === undefined || container === undefined ? reason : { ...reason, container };
}
