import type { Node, Pod } from '@spillway/kube';
import { footprint, type PoolCapacity } from '../../placement/binder/capacity.ts';
import type { ClaimSources } from '../../placement/binder/claims.ts';
import { misfitOf } from '../../placement/binder/fits.ts';
import type { Misfit } from '../../placement/binder/misfit.ts';
import { burstLabels } from '../../podspec/contract.ts';
import { formatCpu, formatMemory, type Size } from '../../podspec/sizing/size.ts';
import { sizePod } from '../../podspec/sizing/size-pod.ts';
import type { ShownPolicy } from '../policy.ts';
import { isOpenTo } from './forecast.ts';
import type { PlanPool } from './pools.ts';

/** What one pool means for the pods of a workload. */
export interface PoolPlan {
  readonly pool: string;
  readonly node: string;
  /** `notNow`: something other than the pods has to change; `no`: the pods have to. */
  readonly burst: 'yes' | 'notNow' | 'no';
  readonly reasons: readonly Reason[];
  /** Missing where there is no such size. */
  readonly size?: { readonly billed: ShownSize; readonly written: ShownSize };
}

export interface Reason {
  readonly code: string;
  readonly field?: string;
  readonly message: string;
  readonly remedy: string;
}

export interface ShownSize {
  readonly cpu: string;
  readonly memory: string;
}

/** What the cluster knows of the pool's surroundings. */
export interface Surroundings {
  readonly node: Node | undefined;
  readonly capacity: PoolCapacity;
  readonly claims: ClaimSources;
}

/** @param cluster undefined: it is not asked */
export function poolPlanOf(pod: Pod, policy: ShownPolicy, pool: PlanPool, cluster: Surroundings | undefined): PoolPlan {
  const { name, nodeName, sizing } = pool;
  const size = sizePod(pod.spec ?? { containers: [] }, sizing);
  return {
    pool: name,
    node: nodeName,
    ...verdictOf(pod, policy, pool, cluster),
    ...(size.kind === 'sized' ? { size: { billed: shown(size.pod), written: shown(size.written) } } : {}),
  };
}

const shown = ({ milliCpu, memoryBytes }: Size): ShownSize => ({
  cpu: formatCpu(milliCpu),
  memory: formatMemory(memoryBytes),
});

type Verdict = Pick<PoolPlan, 'burst' | 'reasons'>;

function verdictOf(pod: Pod, policy: ShownPolicy, pool: PlanPool, cluster: Surroundings | undefined): Verdict {
  const node = cluster?.node;
  // Without a label, pods may ask in Kubernetes' own terms.
  const asked = policy.value !== 'off' || (node !== undefined && isOpenTo(node, pod));
  if (!asked) return { burst: 'no', reasons: [notAsked] };
  const refusals = pool.review(pod).map(({ code, field, message, remedy }) => ({ code, field, message, remedy }));
  const misfit = cluster && surroundingMisfit(pod, pool, cluster);
  const reasons = [...refusals, ...(misfit ? [reasonOf(misfit)] : [])];
  const final = refusals.length > 0 || misfit?.kind === 'selector';
  return { burst: final ? 'no' : reasons.length > 0 ? 'notNow' : 'yes', reasons };
}

const notAsked: Reason = {
  code: 'not-asked',
  message: 'the pods do not ask to burst',
  remedy: `Set the label ${burstLabels[0]} to auto, localPrefer or enforce`,
};

function surroundingMisfit(pod: Pod, pool: PlanPool, { node, capacity, claims }: Surroundings): Misfit | undefined {
  if (node === undefined) {
    return {
      kind: 'blocked',
      code: 'node-not-registered',
      message: `the node ${pool.nodeName} is not registered`,
      remedy: 'Start "spillway serve" with this configuration',
    };
  }
  const shortage = (amounts: ReturnType<typeof footprint>): string | undefined =>
    capacity.shortage(pool.nodeName, amounts);
  return misfitOf(withoutOwnClaims(pod), footprint(pod), { node, review: () => [], shortage }, claims);
}

/** Claims that are made for each pod are not there before it. */
function withoutOwnClaims(pod: Pod): Pod {
  const volumes = pod.spec?.volumes?.filter(({ ephemeral }) => ephemeral === undefined);
  return pod.spec && volumes ? { ...pod, spec: { ...pod.spec, volumes } } : pod;
}

function reasonOf({ kind, code = kind, message, remedy }: Misfit): Reason {
  return { code, message, remedy };
}
