import type { Node, Pod } from '@spillway/kube';
import type { PoolCapacity } from '../../placement/binder/capacity.ts';
import { burstLabels } from '../../podspec/contract.ts';
import type { ClaimSources } from '../../podspec/claims.ts';
import { type Fit, fitOf, type Pool } from '../../podspec/fit/fit.ts';
import type { Reason } from '../../podspec/review/refusal.ts';
import { formatCpu, formatMemory, type Size } from '../../podspec/sizing/size.ts';
import { type Burst, burstOf } from '../burst.ts';
import type { ShownPolicy } from '../policy.ts';
import { isOpenTo } from './forecast.ts';

/** What one pool means for the pods of a workload. */
export interface PoolPlan {
  readonly pool: string;
  readonly node: string;
  readonly burst: Burst;
  readonly reasons: readonly PlanReason[];
  /** Containers that run in each pod besides its own. Missing where there are none. */
  readonly addedContainers?: number;
  /** Missing where there is no such size. */
  readonly size?: { readonly billed: ShownSize; readonly written: ShownSize };
}

export interface PlanReason extends Omit<Reason, 'field'> {
  /** Missing where it is not about a field. */
  readonly field?: string;
}

export interface ShownSize {
  readonly cpu: string;
  readonly memory: string;
}

/** What the cluster knows of the pool's surroundings. */
export interface PoolSurroundings {
  readonly node: Node | undefined;
  readonly room: PoolCapacity;
  readonly claims: ClaimSources | undefined;
}

/** @param cluster undefined: it is not asked */
export function poolPlanOf(pod: Pod, policy: ShownPolicy, pool: Pool, cluster: PoolSurroundings | undefined): PoolPlan {
  const { name, nodeName, support } = pool;
  const node = cluster?.node;
  const fit = fitOf(pod, pool, {
    node,
    claims: cluster?.claims,
    shortage: node && ((amounts) => cluster.room.shortage(nodeName, amounts)),
  });
  const sized = 'sized' in fit ? fit.sized : undefined;
  // Without a label, pods may ask in Kubernetes' own terms.
  const asked = policy.value !== 'off' || (node !== undefined && isOpenTo(node, pod));
  return {
    pool: name,
    node: nodeName,
    ...(asked ? verdictOf(fit, cluster && node === undefined ? [notRegistered(pool)] : []) : notAsked),
    ...(support.addedContainers !== undefined && { addedContainers: support.addedContainers }),
    ...(sized && { size: { billed: shown(sized.pod), written: shown(sized.written) } }),
  };
}

const shown = ({ milliCpu, memoryBytes }: Size): ShownSize => ({
  cpu: formatCpu(milliCpu),
  memory: formatMemory(memoryBytes),
});

type Verdict = Pick<PoolPlan, 'burst' | 'reasons'>;

function verdictOf(fit: Fit, missing: readonly PlanReason[]): Verdict {
  if (fit.kind !== 'fits') return { burst: burstOf(fit), reasons: fit.reasons };
  return { burst: missing.length > 0 ? 'notNow' : 'yes', reasons: missing };
}

const notAsked: Verdict = {
  burst: 'no',
  reasons: [
    {
      code: 'not-asked',
      message: 'the pods do not ask to burst',
      remedy: `Set the label ${burstLabels[0]} to auto, localPrefer or enforce.`,
    },
  ],
};

const notRegistered = ({ nodeName }: Pool): PlanReason => ({
  code: 'node-not-registered',
  message: `the node ${nodeName} of the pool is not registered`,
  remedy: 'Start "spillway serve" with this configuration.',
});
