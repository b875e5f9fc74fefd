import type { JsonPatchOperation, KubeObject, Node, Pod } from '@spillway/kube';
import type { ClaimSources } from '../../placement/binder/claims.ts';
import { evaluate } from '../../placement/rules/evaluate.ts';
import { applyPatch } from '../../placement/rules/json-patch.ts';
import { isLimited, type ScheduleProfile } from '../../placement/rules/schedule-profile.ts';
import { unknownValues } from '../../placement/rules/unknown-value.ts';
import { podOf, replicasOf } from '../../placement/rules/workload.ts';
import { named } from '../doctor/view.ts';
import { type ShownPolicy, shownPolicyOf } from '../policy.ts';
import { isVirtual } from '../why.ts';
import { capacityOf, type Forecast, forecastOf } from './forecast.ts';
import { makesPods } from '../../placement/rules/object-shape.ts';
import { type PoolPlan, poolPlanOf } from './pool-plan.ts';
import type { PlanPool } from './pools.ts';

/** The answer of `spillway plan`; stable, see docs/cli.md. */
export interface Plan {
  readonly workloads: readonly WorkloadPlan[];
  /** Objects that make no pods. */
  readonly notConcerned: readonly string[];
  /** What this answer does not know, and why. */
  readonly remarks: readonly string[];
}

export interface WorkloadPlan {
  /** `Deployment shop/web` */
  readonly object: string;
  readonly replicas: number;
  readonly policy: ShownPolicy;
  /** Why admission refuses it. Then nothing more is said. */
  readonly refused: readonly string[];
  /** What admission writes. */
  readonly writes: readonly Write[];
  readonly pools: readonly PoolPlan[];
  /** Missing when the cluster was not asked, or not all of it could be seen. */
  readonly forecast?: Forecast;
}

export interface Write {
  readonly kind: string;
  /** JSON pointer. */
  readonly path: string;
  /** Missing: the field is taken away. */
  readonly value?: unknown;
}

export interface LiveCluster {
  readonly nodes: readonly Node[];
  /** Missing: they may not be listed. */
  readonly pods?: readonly Pod[];
  readonly profiles: readonly ScheduleProfile[];
  readonly claims: ClaimSources;
  readonly remarks: readonly string[];
}

export interface PlanFacts {
  /** Each with its namespace. */
  readonly objects: readonly KubeObject[];
  readonly pools: readonly PlanPool[];
  /** Missing: it is not asked. */
  readonly cluster?: LiveCluster;
  /** In place of what the workloads say. */
  readonly replicas?: number;
  readonly remarks: readonly string[];
}

export function planOf(facts: PlanFacts): Plan {
  const concerned = facts.objects.filter(makesPods);
  return {
    workloads: concerned.map((object) => workloadPlan(object, facts)),
    notConcerned: facts.objects.filter((object) => !makesPods(object)).map((object) => nameOf(object)),
    remarks: [...facts.remarks, ...(facts.cluster?.remarks ?? []), ...limitRemarks(facts.cluster)],
  };
}

/** Is there something that cannot do what it asks? */
export function hasFindings({ workloads }: Plan): boolean {
  return workloads.some(
    ({ refused, policy, pools }) =>
      refused.length > 0 || (policy.value === 'enforce' && pools.every(({ burst }) => burst === 'no')),
  );
}

function workloadPlan(object: KubeObject, facts: PlanFacts): WorkloadPlan {
  const { pools, cluster } = facts;
  const namespace = object.metadata?.namespace;
  const profiles = cluster?.profiles.filter(({ metadata }) => metadata?.namespace === namespace) ?? [];
  const { pod, writes } = admitted(object, profiles);
  const policy = shownPolicyOf(pod);
  const replicas = object.kind === 'Pod' ? 1 : (facts.replicas ?? replicasOf(object));
  const refused = unknownValues({ operation: 'CREATE', object });
  const head = { object: nameOf(object), replicas, policy, refused };
  if (refused.length > 0) return { ...head, writes: [], pools: [] };
  if (cluster === undefined) {
    return { ...head, writes, pools: pools.map((pool) => poolPlanOf(pod, policy, pool, undefined)) };
  }
  const nodeOf = new Map(cluster.nodes.map((node) => [node.metadata?.name, node]));
  const capacity = capacityOf(cluster.nodes, cluster.pods ?? []);
  const poolPlans = pools.map((pool) =>
    poolPlanOf(pod, policy, pool, { node: nodeOf.get(pool.nodeName), capacity, claims: cluster.claims }),
  );
  if (cluster.pods === undefined) return { ...head, writes, pools: poolPlans };
  const open = poolPlans.flatMap(({ node, burst }) => (burst === 'yes' ? (nodeOf.get(node) ?? []) : []));
  const nodes = cluster.nodes.filter((node) => !isVirtual(node));
  const forecast = forecastOf(pod, replicas, { nodes, pools: open, pods: cluster.pods });
  return { ...head, writes, pools: poolPlans, forecast };
}

/** The pod as admission leaves it, first in the template of its workload, then when it is created. */
function admitted(
  object: KubeObject,
  profiles: readonly ScheduleProfile[],
): { readonly pod: Pod; readonly writes: readonly Write[] } {
  const onWorkload = object.kind === 'Pod' ? [] : evaluate({ operation: 'CREATE', object });
  const pod = podOf(applyPatch(object, onWorkload)) ?? {};
  const onPod = evaluate({ operation: 'CREATE', object: pod }, profiles);
  const writes = [...writesOf(object.kind ?? '', onWorkload), ...writesOf('Pod', onPod)];
  return { pod: applyPatch(pod, onPod), writes };
}

function writesOf(kind: string, patch: readonly JsonPatchOperation[]): Write[] {
  return patch.flatMap((operation, index) => {
    // A later operation writes the whole field anew.
    const again = patch
      .slice(index + 1)
      .some(({ path }) => `${operation.path}/`.startsWith(`${path}/`) && !path.endsWith('/-'));
    if (again) return [];
    if (!('value' in operation)) return [{ kind, path: operation.path }];
    const { path, value } = operation;
    // Only makes place for what follows.
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return isEmpty ? [] : [{ kind, path, value }];
  });
}

function limitRemarks(cluster: LiveCluster | undefined): string[] {
  return (cluster?.profiles ?? [])
    .filter(isLimited)
    .map(
      ({ metadata }) =>
        `ScheduleProfile ${metadata?.namespace}/${metadata?.name}: its limits are not part of the forecast`,
    );
}

function nameOf({ kind = '', metadata }: KubeObject): string {
  const { name, generateName } = metadata ?? {};
  return named(kind, { metadata: { ...metadata, name: name ?? `${generateName ?? ''}*` } });
}
