import type { Node, Pod, Toleration } from '@spillway/kube';
import { blockedTaint, burstTaint, preferTaint } from '../contract.ts';
import type { ClaimSources } from '../claims.ts';
import { nodeRecordOf } from '../hibernation.ts';
import { footprint, type Resources } from '../resources.ts';
import type { Problem } from '../review/refusal.ts';
import { claimProblem } from './claims.ts';
import { untoleratedTaints } from './node-match.ts';
import { topologyProblem } from './topology.ts';

/** What is known around a pool. What is not given is not looked at. */
export interface Surroundings {
  readonly node?: Node | undefined;
  readonly claims?: ClaimSources | undefined;
  /** Name of a resource of which the pool has less left than these amounts. */
  readonly shortage?: ((amounts: Resources) => string | undefined) | undefined;
}

export type NotNow = 'claim' | 'topology' | 'taint' | 'blocked' | 'room';

interface Hindrance {
  readonly kind: NotNow;
  readonly problem: Problem;
}

/** What around the pod keeps it from a pool that could run it. */
export function hindranceOf(pod: Pod, { node, claims, shortage }: Surroundings): Hindrance | undefined {
  const unclaimed = node && claims && claimProblem(pod, node, claims);
  if (unclaimed) return { kind: 'claim', problem: unclaimed };
  const unmet = node && topologyProblem(pod, node);
  if (unmet) return { kind: 'topology', problem: unmet };
  const closed = node && taintHindrance(pod, node);
  if (closed) return closed;
  const scarce = shortage?.(footprint(pod));
  return scarce === undefined ? undefined : { kind: 'room', problem: roomProblem(scarce, node) };
}

/** A pod that is let in tolerates these, whatever its spec says. */
const letIn: readonly Toleration[] = [burstTaint, preferTaint].map(({ key }) => ({ key, operator: 'Exists' }));

function taintHindrance({ spec }: Pod, node: Node): Hindrance | undefined {
  const name = node.metadata?.name ?? '';
  const taints = node.spec?.taints ?? [];
  if (taints.some(({ key }) => key === blockedTaint.key)) {
    const message = `the pool takes no new pods at the moment (taint ${blockedTaint.key} of the node ${name})`;
    const remedy = `The pod is placed when that is over. To see why, run: kubectl describe node ${name}`;
    return { kind: 'blocked', problem: { field: 'spec.nodeName', message, remedy } };
  }
  if (node.spec?.unschedulable === true) {
    if (nodeRecordOf(node) !== undefined) {
      const message = `the virtual node ${name} hibernates`;
      return { kind: 'taint', problem: { field: 'spec.nodeName', message, remedy: 'Run: spillway resume' } };
    }
    const remedy = `Run: kubectl uncordon ${name}`;
    const message = `the node ${name} is cordoned`;
    return { kind: 'taint', problem: { field: 'spec.nodeName', message, remedy } };
  }
  const [taint] = untoleratedTaints([...letIn, ...(spec?.tolerations ?? [])], taints);
  if (taint === undefined) return undefined;
  const message = `the pod does not tolerate the taint ${taint.key}:${taint.effect} of the node ${name}`;
  const remedy = 'Add a toleration to the pod, or remove the taint from the node.';
  return { kind: 'taint', problem: { field: 'spec.tolerations', message, remedy } };
}

function roomProblem(resource: string, node: Node | undefined): Problem {
  const capacity = `pools[].capacity.${resource} in the configuration`;
  const field = 'spec.containers';
  return node?.status?.allocatable?.[resource] === undefined
    ? {
        field,
        message: `the pool offers no ${resource}`,
        remedy: `Set ${capacity}, or remove ${resource} from the requests and limits of the pod.`,
      }
    : {
        field,
        message: `the pool has too little ${resource} left for the pod`,
        remedy: `The pod is placed when there is room. The size of the pool is ${capacity}.`,
      };
}
