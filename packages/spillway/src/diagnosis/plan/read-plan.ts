import {
  ApiError,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type ResourceType,
  storageClasses,
} from '@spillway/kube';
import { profileProblem } from '../../placement/rules/profile-problem.ts';
import { type ScheduleProfile, scheduleProfiles } from '../../placement/rules/schedule-profile.ts';
import { everyPage } from '../every-page.ts';
import type { LiveCluster } from './plan.ts';

/** Reads what {@link LiveCluster} says, with the user's rights. @throws ApiError: also when nodes may not be listed; TransportError */
export async function readPlan(client: KubeClient, namespaces: readonly string[]): Promise<LiveCluster> {
  const remarks: string[] = [];
  const all = async <T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions = {},
  ): Promise<T[] | undefined> => {
    try {
      return await everyPage(client, type, options);
    } catch (error) {
      // 404: the custom resource is not installed.
      if (error instanceof ApiError && error.status === 404) return [];
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      remarks.push(`${type.plural} could not be read, so the answer does not take them into account: ${error.message}`);
      return undefined;
    }
  };
  const inNamespaces = async <T extends KubeObject>(type: ResourceType<T>): Promise<T[]> =>
    (await Promise.all(namespaces.map((namespace) => all(type, { namespace })))).flatMap((list) => list ?? []);
  const [nodeList, podList, profiles, claims, volumes, classes] = await Promise.all([
    everyPage(client, nodes, {}),
    all(pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    inNamespaces<ScheduleProfile>(scheduleProfiles),
    inNamespaces(persistentVolumeClaims),
    all(persistentVolumes),
    all(storageClasses),
  ]);
  return {
    nodes: nodeList,
    ...(podList ? { pods: podList } : {}),
    profiles: profiles.filter((profile) => {
      const problem = profileProblem(profile);
      if (problem === undefined) return true;
      const { namespace = '', name = '' } = profile.metadata ?? {};
      remarks.push(`ScheduleProfile ${namespace}/${name} is ignored: ${problem}`);
      return false;
    }),
    claims: {
      claim: (namespace, name) =>
        byName(
          claims.filter(({ metadata }) => metadata?.namespace === namespace),
          name,
        ),
      volume: (name) => byName(volumes, name),
      storageClass: (name) => byName(classes, name),
    },
    remarks,
  };
}

function byName<T extends KubeObject>(list: readonly T[] | undefined, name: string): T | undefined {
  return list?.find(({ metadata }) => metadata?.name === name);
}
