import {
  ApiError,
  errorMessage,
  isConflict,
  isNotFound,
  isRetryable,
  type KubeClient,
  nameOf,
  type Node,
  nodes as nodeType,
  refOf,
} from '@spillway/kube';
import { hibernationAnnotation, nodeRecordOf, workloadRecordOf } from '../podspec/hibernation.ts';
import type { Left } from '../removal/report.ts';
import { keyOf } from './choose.ts';
import { isServed } from './notes.ts';
import { patchOf, type Return, returnOf } from './plan.ts';
import { readWorkloads, type Scope, virtualNodes, workloadTypes } from './read-workloads.ts';
import type { ResumedWorkload, ResumeReport } from './report.ts';
import { isOfDeployment, type Workload, type WorkloadObject, workloadOf } from './workload.ts';

export interface ResumeOptions {
  readonly client: KubeClient;
  /** All: then the virtual nodes are opened, too. */
  readonly scope: Scope;
  readonly dryRun: boolean;
  readonly tell: (line: string) => void;
}

/** Gives back what hibernation has taken, also what was left in the middle. Can be interrupted anywhere: another run goes on. */
export async function resume(
  { client, scope, dryRun, tell }: ResumeOptions,
  signal: AbortSignal,
): Promise<ResumeReport> {
  const isAll = scope.namespace === undefined && scope.selector === undefined;
  const hibernating = (await virtualNodes(client, signal)).filter((node) => nodeRecordOf(node) !== undefined);
  const objects = (await readWorkloads(client, scope, signal)).filter(
    (object) => workloadRecordOf(object) !== undefined,
  );
  // First those without which nothing bursts.
  if (isAll && !dryRun) {
    for (const node of hibernating) {
      tell(`Opening the virtual node ${nameOf(node)}`);
      await open(client, node, signal);
    }
  }
  const own = objects.filter((object) => !isOfDeployment(object)).map(asFound);
  if (own.length > 0 && !dryRun) tell(`Giving back ${own.length} workloads`);
  const given = await Promise.all(own.map((workload) => giveBack(client, workload, dryRun, signal)));
  // The Deployment controller has copied the record there, and "kubectl rollout undo" would copy it back.
  const copies = dryRun ? [] : objects.filter(isOfDeployment);
  await Promise.all(copies.map((object) => forget(client, object, signal)));
  return {
    dryRun,
    nodes: isAll ? hibernating.map(nameOf) : [],
    workloads: given.flatMap(({ resumed }) => resumed).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    remains: given.flatMap(({ remains }) => remains),
    notes: notesOf(hibernating, isAll),
  };
}

function notesOf(nodes: readonly Node[], isAll: boolean): string[] {
  const names = nodes.map(nameOf).join(', ');
  if (!isAll) {
    return nodes.length === 0
      ? []
      : [`Nothing bursts yet: ${names} still hibernates. "spillway resume" without a choice opens it`];
  }
  return nodes
    .filter((node) => !isServed(node))
    .map((node) => `Nobody serves the virtual node ${nameOf(node)}: pods burst when "spillway serve" runs again`);
}

/** A node that was cordoned before stays so; one that somebody has uncordoned, too. */
async function open(client: KubeClient, node: Node, signal: AbortSignal): Promise<void> {
  const body = {
    metadata: { annotations: { [hibernationAnnotation]: null } },
    ...(nodeRecordOf(node)?.cordoned ? {} : { spec: { unschedulable: null } }),
  };
  await client
    .resource(nodeType)
    .patch({ name: nameOf(node) }, { type: 'merge', body }, { signal })
    .catch(unlessMissing);
}

const asFound = (object: WorkloadObject): Workload =>
  workloadOf(object, { profiles: [], taintKeys: new Set(), podsOf: () => [] });

interface Given {
  readonly resumed: readonly ResumedWorkload[];
  readonly remains: readonly Left[];
}

const mostTries = 10;

/** Looks again when somebody else was faster. */
async function giveBack(client: KubeClient, first: Workload, dryRun: boolean, signal: AbortSignal): Promise<Given> {
  const { kind, namespace, name } = first;
  const resource = client.resource(workloadTypes[kind]);
  const ref = { namespace, name };
  let workload = first;
  for (let tries = 1; ; tries += 1) {
    const due = returnOf(workload);
    if (dryRun) return { resumed: [resumedOf(workload, due)], remains: [] };
    try {
      await resource.patch(ref, { type: 'merge', body: patchOf(workload, due.change, undefined) }, { signal });
      return { resumed: [resumedOf(workload, due)], remains: [] };
    } catch (error) {
      if (isNotFound(error)) return { resumed: [], remains: [] };
      if (!isConflict(error) || tries === mostTries) {
        if (!(error instanceof ApiError) || isRetryable(error)) throw error;
        return { resumed: [], remains: [{ ...ref, kind, why: `it cannot be changed: ${errorMessage(error)}` }] };
      }
      const all = await readWorkloads(client, { namespace }, signal);
      const found = all.map(asFound).find(({ uid }) => uid === workload.uid);
      if (found?.record === undefined) return { resumed: [], remains: [] };
      workload = found;
    }
  }
}

function resumedOf({ kind, namespace, name }: Workload, { change, kept }: Return): ResumedWorkload {
  const { replicas, suspend, label } = change;
  const restored = {
    ...(replicas !== undefined && { replicas }),
    ...(suspend !== undefined && { suspended: false as const }),
    ...(label !== undefined && { label }),
  };
  return { kind, namespace, name, restored, kept };
}

async function forget(client: KubeClient, object: WorkloadObject, signal: AbortSignal): Promise<void> {
  const body = { metadata: { annotations: { [hibernationAnnotation]: null } } };
  await client
    .resource(workloadTypes[object.kind])
    .patch(refOf(object), { type: 'merge', body }, { signal })
    .catch(unlessMissing);
}

function unlessMissing(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
