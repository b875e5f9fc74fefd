import {
  type Event,
  events,
  jobs,
  type KubeClient,
  replicaSets,
  type ResourceType,
  statefulSets,
} from '@spillway/kube';
import type { KubeObject } from '@spillway/kube';

const types: Readonly<Record<string, ResourceType<KubeObject>>> = {
  ReplicaSet: replicaSets,
  StatefulSet: statefulSets,
  Job: jobs,
};
const annotation = 'spillway.dev/retried-at';

/** Workloads whose last attempts failed because our webhook did not answer, by UID. */
export function stalledBy(failures: readonly Event[], since: number): ReadonlyMap<string, Event['involvedObject']> {
  return new Map(
    failures
      .filter(
        ({ reason, message, involvedObject, lastTimestamp, eventTime }) =>
          reason === 'FailedCreate' &&
          types[involvedObject.kind ?? ''] !== undefined &&
          /failed calling webhook "[^"]*\.spillway\.dev"/.test(message ?? '') &&
          Date.parse(lastTimestamp ?? eventTime ?? '') >= since,
      )
      .map(({ involvedObject }) => [involvedObject.uid ?? '', involvedObject]),
  );
}

/**
 * After an outage the controllers of such workloads wait for minutes before they try again, unless the workload changes.
 * An annotation is written through the status, where nothing else of a workload can be changed. Resolves with how many.
 */
export async function revive(client: Pick<KubeClient, 'resource'>, since: Date, signal: AbortSignal): Promise<number> {
  const failures: Event[] = [];
  for await (const page of client.resource(events).pages({ fieldSelector: 'reason=FailedCreate', signal })) {
    failures.push(...page.items);
  }
  const stalled = [...stalledBy(failures, since.getTime()).values()];
  const body = { metadata: { annotations: { [annotation]: new Date().toISOString() } } };
  const touched = await Promise.allSettled(
    stalled.map(async ({ kind = '', namespace = '', name = '' }) => {
      const type = types[kind];
      if (type === undefined) return;
      await client
        .resource(type)
        .patch({ namespace, name }, { type: 'merge', body }, { subresource: 'status', signal });
    }),
  );
  // What is gone needs no touch; what failed otherwise tries again by itself, later.
  return touched.filter(({ status }) => status === 'fulfilled').length;
}
