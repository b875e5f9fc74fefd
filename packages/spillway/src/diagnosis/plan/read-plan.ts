import { type KubeClient, nodes, pods } from '@spillway/kube';
import { profileProblem } from '../../placement/rules/profile-problem.ts';
import { type ScheduleProfile, scheduleProfiles } from '../../placement/rules/schedule-profile.ts';
import { everyPage } from '../every-page.ts';
import { PermittedLists } from '../read-surroundings.ts';
import type { LiveCluster } from './plan.ts';

/** Reads what {@link LiveCluster} says, with the user's rights. @throws ApiError: also when nodes may not be listed; TransportError */
export async function readPlan(client: KubeClient, namespaces: readonly string[]): Promise<LiveCluster> {
  const lists = new PermittedLists(client);
  const [nodeList, podList, profiles = [], claims] = await Promise.all([
    everyPage(client, nodes, {}),
    lists.all(pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }),
    lists.of<ScheduleProfile>(scheduleProfiles, namespaces),
    lists.claims(namespaces),
  ]);
  const remarks = profiles.flatMap((profile) => {
    const problem = profileProblem(profile);
    const { namespace = '', name = '' } = profile.metadata ?? {};
    return problem === undefined ? [] : [`ScheduleProfile ${namespace}/${name} is ignored: ${problem}`];
  });
  return {
    nodes: nodeList,
    ...(podList && { pods: podList }),
    profiles: profiles.filter((profile) => profileProblem(profile) === undefined),
    ...(claims && { claims }),
    remarks: [...lists.remarks, ...remarks],
  };
}
