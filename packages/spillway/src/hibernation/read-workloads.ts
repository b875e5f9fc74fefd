import {
  cronJobs,
  deployments,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  isNotFound,
  jobs,
  type KubeClient,
  type KubeObject,
  nameOf,
  nodes,
  type Node,
  type Pod,
  pods,
  replicaSets,
  type ResourceType,
  statefulSets,
  uidOf,
} from '@spillway/kube';
import { type PoolConfig, poolTaints } from '../config/config.ts';
import { everyPage } from '../diagnosis/every-page.ts';
import { isOwnNode } from '../node/node-object.ts';
import { type ScheduleProfile, scheduleProfiles } from '../placement/rules/schedule-profile.ts';
import { virtualNodeType } from '../podspec/contract.ts';
import type { Facts } from './choose.ts';
import type { WorkloadKind, WorkloadObject } from './workload.ts';

/** Which workloads are meant. */
export interface Scope {
  /** Absent: all. */
  readonly namespace?: string | undefined;
  /** By their own labels, as kubectl takes it. Absent: all. */
  readonly selector?: string | undefined;
}

export const workloadTypes: Readonly<Record<WorkloadKind, ResourceType<KubeObject>>> = {
  Deployment: deployments,
  StatefulSet: statefulSets,
  ReplicaSet: replicaSets,
  Job: jobs,
  CronJob: cronJobs,
};

/** Each kind at a time. @throws ApiError, TransportError */
export async function readWorkloads(
  client: KubeClient,
  { namespace, selector: labelSelector }: Scope,
  signal: AbortSignal,
): Promise<WorkloadObject[]> {
  const options = { signal, namespace, labelSelector };
  const [ofDeployments, ofStatefulSets, ofReplicaSets, ofJobs, ofCronJobs] = await Promise.all([
    everyPage(client, deployments, options),
    everyPage(client, statefulSets, options),
    everyPage(client, replicaSets, options),
    everyPage(client, jobs, options),
    everyPage(client, cronJobs, options),
  ]);
  return [
    ...ofDeployments.map((each) => ({ ...each, kind: 'Deployment' as const })),
    ...ofStatefulSets.map((each) => ({ ...each, kind: 'StatefulSet' as const })),
    ...ofReplicaSets.map((each) => ({ ...each, kind: 'ReplicaSet' as const })),
    ...ofJobs.map((each) => ({ ...each, kind: 'Job' as const })),
    ...ofCronJobs.map((each) => ({ ...each, kind: 'CronJob' as const })),
  ];
}

/** What decides about the workloads of the scope. @throws ApiError, TransportError */
export async function readFacts(
  client: KubeClient,
  pools: readonly PoolConfig[],
  scope: Scope,
  signal: AbortSignal,
): Promise<Facts> {
  const nodeNames = pools.map(({ nodeName }) => nodeName);
  const { namespace, selector: labelSelector } = scope;
  const [objects, selected, profiles, virtual, ...burst] = await Promise.all([
    readWorkloads(client, { namespace }, signal),
    labelSelector === undefined ? undefined : uidsOf(client, scope, signal),
    optional(() => everyPage<ScheduleProfile>(client, scheduleProfiles, { namespace, signal })),
    virtualNodes(client, signal),
    ...nodeNames.map((name) => everyPage(client, pods, { namespace, fieldSelector: `spec.nodeName=${name}`, signal })),
  ]);
  return {
    objects,
    selected,
    profiles,
    taintKeys: new Set(pools.flatMap((pool) => poolTaints(pool).map(({ key }) => key))),
    nodes: virtual.filter((node) => nodeNames.includes(nameOf(node))),
    pods: burst.flat(),
  };
}

async function uidsOf(client: KubeClient, scope: Scope, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const { namespace, selector: labelSelector } = scope;
  const [workloads, alone] = await Promise.all([
    readWorkloads(client, scope, signal),
    everyPage(client, pods, { namespace, labelSelector, signal }),
  ]);
  return new Set([...workloads, ...alone].map(uidOf));
}

/** Of Spillway, whichever installation has them. */
export async function virtualNodes(client: KubeClient, signal: AbortSignal): Promise<Node[]> {
  const labelSelector = `${virtualNodeType.key}=${virtualNodeType.value}`;
  return (await everyPage(client, nodes, { labelSelector, signal })).filter(isOwnNode);
}

export interface RoomFacts {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

/** All nodes, and all pods on them. */
export async function readRoom(client: KubeClient, signal: AbortSignal): Promise<RoomFacts> {
  const [allNodes, allPods] = await Promise.all([
    everyPage(client, nodes, { signal }),
    everyPage(client, pods, { signal }),
  ]);
  return { nodes: allNodes, pods: allPods };
}

export const readAutoscalers = async (
  client: KubeClient,
  { namespace }: Scope,
  signal: AbortSignal,
): Promise<HorizontalPodAutoscaler[]> => await everyPage(client, horizontalPodAutoscalers, { namespace, signal });

/** The cluster may have no such kind. */
async function optional<T>(list: () => Promise<T[]>): Promise<T[]> {
  try {
    return await list();
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
