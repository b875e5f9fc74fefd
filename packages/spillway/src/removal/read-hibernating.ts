import {
  controllerOf,
  cronJobs,
  deployments,
  jobs,
  type KubeClient,
  type KubeObject,
  replicaSets,
  type ResourceType,
  statefulSets,
} from '@spillway/kube';
import { workloadRecordOf } from '../podspec/hibernation.ts';

const types: readonly ResourceType<KubeObject>[] = [deployments, statefulSets, replicaSets, jobs, cronJobs];

/** Workloads that hibernate. @throws ApiError, TransportError */
export async function readHibernating(client: KubeClient, signal: AbortSignal): Promise<KubeObject[]> {
  const found = await Promise.all(
    types.map(async (type) => {
      const ofType: KubeObject[] = [];
      for await (const { items } of client.resource(type).pages({ signal })) ofType.push(...items.filter(hibernates));
      return ofType;
    }),
  );
  return found.flat();
}

/** A ReplicaSet of a Deployment has only a copy of its record. */
const hibernates = (object: KubeObject): boolean =>
  workloadRecordOf(object) !== undefined &&
  !(object.kind === 'ReplicaSet' && controllerOf(object)?.kind === 'Deployment');
