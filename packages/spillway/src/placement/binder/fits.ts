import type { Node, Pod, Toleration } from '@spillway/kube';
import { blockedTaint, burstTaint, preferTaint } from '../../podspec/contract.ts';
import type { Resources } from '../../podspec/resources.ts';
import { type ClaimSources, claimMisfit } from './claims.ts';
import type { Misfit, Refusal } from './misfit.ts';
import { selectsNode, untoleratedTaints } from './node-match.ts';
import { topologyMisfit } from './topology.ts';

export interface PoolView {
  readonly node: Node;
  /** Why the pool's backend cannot run the pod. */
  readonly review: (pod: Pod) => readonly Refusal[];
  /** Name of a resource of which the pool has too little. */
  readonly shortage: (amounts: Resources) => string | undefined;
}

/** A pod that is let in tolerates these, whatever its spec says. */
const letIn: readonly Toleration[] = [burstTaint, preferTaint].map(({ key }) => ({ key, operator: 'Exists' }));

/**
 * Why the pool does not take the pod now; undefined: it does. What only a change of the pod can mend is said first, so
 * that a pool without room does not hide it.
 */
export function misfitOf(pod: Pod, amounts: Resources, pool: PoolView, claims: ClaimSources): Misfit | undefined {
  return (
    selectorMisfit(pod, pool.node) ??
    reviewMisfit(pool.review(pod)) ??
    claimMisfit(pod, pool.node, claims) ??
    topologyMisfit(pod, pool.node) ??
    taintMisfit(pod, pool.node) ??
    roomMisfit(pool.shortage(amounts))
  );
}

function selectorMisfit(pod: Pod, node: Node): Misfit | undefined {
  if (selectsNode(pod, node)) return undefined;
  return {
    kind: 'selector',
    message: "the node selector or required node affinity of the pod does not match the pool's node",
    remedy: `Compare it with the labels of the node ${node.metadata?.name ?? ''}`,
  };
}

function reviewMisfit(refusals: readonly Refusal[]): Misfit | undefined {
  const [first] = refusals;
  if (first === undefined) return undefined;
  return {
    kind: 'refused',
    code: first.code,
    message: refusals.map(({ field, message }) => `${field}: ${message}`).join('; '),
    remedy: Array.from(new Set(refusals.map(({ remedy }) => remedy))).join('. '),
  };
}

function taintMisfit({ spec }: Pod, node: Node): Misfit | undefined {
  const taints = node.spec?.taints ?? [];
  if (taints.some(({ key }) => key === blockedTaint.key)) {
    return {
      kind: 'blocked',
      message:
        'it takes no new pods now: it is sold out, its quota is used up, or its backend does not answer or is not prepared',
      remedy: 'The pod is bound when that is over; kubectl describe node says which it is',
    };
  }
  const [taint] = untoleratedTaints([...letIn, ...(spec?.tolerations ?? [])], taints);
  if (taint !== undefined || node.spec?.unschedulable === true) {
    return {
      kind: 'taint',
      message: taint === undefined ? 'its node is cordoned' : `its node has the taint ${taint.key}:${taint.effect}`,
      remedy: taint === undefined ? 'Uncordon the node' : 'Remove the taint, or let the pod tolerate it',
    };
  }
  return undefined;
}

function roomMisfit(resource: string | undefined): Misfit | undefined {
  if (resource === undefined) return undefined;
  return {
    kind: 'room',
    message: `it has too little ${resource} left for the pod`,
    remedy: `The pod is bound when there is room; the pool's size is pools[].capacity in the configuration`,
  };
}
