import type { JsonPatchOperation, KubeObject, Node, Pod } from '@spillway/kube';
import { isAddOnNode } from '../../cce-addon/marks.ts';
import type { PoolCapacity } from '../../placement/binder/capacity.ts';
import { evaluate } from '../../placement/rules/evaluate.ts';
import { letIn } from '../../placement/rules/let-in.ts';
import { applyPatch } from '../../placement/rules/json-patch.ts';
import { isLimited, type ScheduleProfile } from '../../placement/rules/schedule-profile.ts';
import { unknownValues } from '../../placement/rules/unknown-value.ts';
import { podOf, replicasOf } from '../../placement/rules/workload.ts';
import type { ClaimSources } from '../../podspec/claims.ts';
import { askPools, type Pool } from '../../podspec/fit/fit.ts';
import { named } from '../doctor/view.ts';
import { type ShownPolicy, shownPolicyOf } from '../policy.ts';
import { isVirtual } from '../why.ts';
import { type ClaimView, claimViewsOf } from '../claim-view.ts';
import { roomOf } from '../room.ts';
import { type Forecast, forecastOf } from './forecast.ts';
import { makesPods } from '../../placement/rules/object-shape.ts';
import { withClaimsOf, withPlanned } from './planned-claims.ts';
import { type PoolPlan, poolPlanOf } from './pool-plan.ts';

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
  /** Missing where there are none, or they are not known. */
  readonly claims?: readonly ClaimView[];
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
  /** Missing: they may not be read. */
  readonly claims?: ClaimSources;
  readonly remarks: readonly string[];
}

export interface PlanFacts {
  /** Each with its namespace. */
  readonly objects: readonly KubeObject[];
  readonly pools: readonly Pool[];
  /** Missing: it is not asked. */
  readonly cluster?: LiveCluster;
  /** In place of what the workloads say. */
  readonly replicas?: number;
  readonly remarks: readonly string[];
}

export function planOf(facts: PlanFacts): Plan {
  const concerned = facts.objects.filter(makesPods);
  // One for all: those that come first take it from those that come later.
  const room = facts.cluster && roomOf(facts.cluster.nodes, facts.cluster.pods ?? []);
  return {
    workloads: concerned.map((object) => workloadPlan(object, facts, room)),
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

function workloadPlan(object: KubeObject, facts: PlanFacts, room: PoolCapacity | undefined): WorkloadPlan {
  const { pools, cluster } = facts;
  const namespace = object.metadata?.namespace;
  const profiles = cluster?.profiles.filter(({ metadata }) => metadata?.namespace === namespace) ?? [];
  const nodeOf = new Map(cluster?.nodes.map((node) => [node.metadata?.name, node]));
  const { pod, writes } = admitted(object, profiles, pools, nodeOf);
  const policy = shownPolicyOf(pod);
  const replicas = object.kind === 'Pod' ? 1 : (facts.replicas ?? replicasOf(object));
  const refused = unknownValues({ operation: 'CREATE', object });
  const intro = { object: nameOf(object), replicas, policy, refused };
  if (refused.length > 0) return { ...intro, writes: [], pools: [] };
  const claims = cluster?.claims && withPlanned(cluster.claims, facts.objects);
  const views = claims ? claimViewsOf(pod, claims) : [];
  const head = { ...intro, ...(views.length > 0 && { claims: views }) };
  const poolPlans = pools.map((pool) => {
    const surroundings = room && { node: nodeOf.get(pool.nodeName), room, claims };
    return poolPlanOf(pod, policy, pool, surroundings);
  });
  if (cluster?.pods === undefined || room === undefined) return { ...head, writes, pools: poolPlans };
  const open = poolPlans.flatMap(({ node, burst }) => (burst === 'yes' ? (nodeOf.get(node) ?? []) : []));
  const nodes = cluster.nodes.filter((node) => !isVirtual(node) && !isAddOnNode(node));
  const forecast = forecastOf(pod, replicas, { nodes, pools: open, room });
  return { ...head, writes, pools: poolPlans, forecast };
}

/** The pod as admission leaves it, first in the template of its workload, then when it is created. */
function admitted(
  object: KubeObject,
  profiles: readonly ScheduleProfile[],
  pools: readonly Pool[],
  nodeOf: ReadonlyMap<string | undefined, Node>,
): { readonly pod: Pod; readonly writes: readonly Write[] } {
  const onWorkload = object.kind === 'Pod' ? [] : evaluate({ operation: 'CREATE', object });
  const template = withClaimsOf(object, podOf(applyPatch(object, onWorkload)) ?? {});
  const byRules = evaluate({ operation: 'CREATE', object: template }, profiles);
  const pod = applyPatch(template, byRules);
  const byPools = letIn(pod, askPools(pools, (name) => nodeOf.get(name))(pod));
  const writes = [...writesOf(object.kind ?? '', onWorkload), ...writesOf('Pod', [...byRules, ...byPools])];
  return { pod: applyPatch(pod, byPools), writes };
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
