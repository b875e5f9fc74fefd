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
import type { Persistence } from '../removal/persist.ts';
import type { Left } from '../removal/report.ts';
import { keyOf } from './choose.ts';
import { isServed } from './notes.ts';
import { nextReturn, patchOf, type Return } from './plan.ts';
import { readWorkloads, type Scope, virtualNodes, workloadTypes } from './read-workloads.ts';
import type { ResumedWorkload, ResumeReport } from './report.ts';
import { isOfDeployment, type Workload, type WorkloadObject, workloadOf } from './workload.ts';

export interface ResumeOptions extends Persistence {
  readonly client: KubeClient;
  /** All: then the virtual nodes are opened, too. */
  readonly scope: Scope;
  readonly dryRun: boolean;
}

/** Gives back what hibernation has taken, also what was left in the middle. Can be interrupted anywhere: another run goes on. */
export async function resume(options: ResumeOptions, signal: AbortSignal): Promise<ResumeReport> {
  const { client, scope, dryRun, tell } = options;
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
  const given = await Promise.all(own.map((workload) => giveBack(workload, options, signal)));
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

const lookMs = 500;
/** Pods that do not end by then have reasons. */
const longestMs = 300_000;

/** Step by step; looks again when somebody else was faster. */
async function giveBack(
  first: Workload,
  { client, clock, dryRun, tell }: ResumeOptions,
  signal: AbortSignal,
): Promise<Given> {
  const { kind, namespace, name } = first;
  const ref = { namespace, name };
  const deadlineMs = clock.now() + longestMs;
  let resumed: ResumedWorkload = { kind, ...ref, restored: {}, kept: [] };
  for (let workload: Workload | undefined = first; ; workload = await found(client, first, signal)) {
    if (workload?.record === undefined) return { resumed: [resumed], remains: [] };
    const due = nextReturn(workload);
    if (due !== 'wait') {
      try {
        if (!dryRun) {
          const body = patchOf(workload, due.change, due.record);
          await client.resource(workloadTypes[kind]).patch(ref, { type: 'merge', body }, { signal });
        }
        resumed = withStep(resumed, due);
        if (dryRun || due.record === undefined) return { resumed: [resumed], remains: [] };
        tell(`Waiting: the pods of ${keyOf(workload)} end before it gets them back`);
      } catch (error) {
        if (isNotFound(error)) return { resumed: [], remains: [] };
        if (!(error instanceof ApiError) || isRetryable(error)) throw error;
        if (!isConflict(error)) {
          return { resumed: [], remains: [{ ...ref, kind, why: `it cannot be changed: ${errorMessage(error)}` }] };
        }
      }
    }
    if (clock.now() > deadlineMs) return { resumed: [], remains: [{ ...ref, kind, why: 'its pods do not end' }] };
    await clock.sleep(lookMs, signal);
    signal.throwIfAborted();
  }
}

async function found(
  client: KubeClient,
  { namespace, uid }: Workload,
  signal: AbortSignal,
): Promise<Workload | undefined> {
  return (await readWorkloads(client, { namespace }, signal)).map(asFound).find((each) => each.uid === uid);
}

function withStep(before: ResumedWorkload, { change: { replicas, suspend, label }, kept }: Return): ResumedWorkload {
  return {
    ...before,
    restored: {
      ...before.restored,
      // 0 only makes way for the next step.
      ...(replicas && { replicas }),
      ...(suspend !== undefined && { suspended: false as const }),
      ...(label !== undefined && { label }),
    },
    kept: [...before.kept, ...kept],
  };
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
