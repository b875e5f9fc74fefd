import { ApiError, type Event, events, type KubeClient, nodes, type Pod, pods, uidOf } from '@spillway/kube';
import { claimVolumes } from '../podspec/claims.ts';
import type { Pool } from '../podspec/fit/fit.ts';
import type { Explanation } from '../pods/explain.ts';
import { poolsOfNodes, type Supports } from './pools.ts';
import { PermittedLists } from './read-surroundings.ts';
import { isVirtual, type WhyFacts } from './why.ts';

/** Reads everything that {@link why} needs. @throws ApiError: 404 when there is no such pod; TransportError */
export async function readWhy(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  supports: Supports,
): Promise<WhyFacts> {
  const pod = await client.resource(pods).get({ namespace, name });
  const [{ items: all }, seen] = await Promise.all([
    client.resource(nodes).list({ labelSelector: 'type=virtual-kubelet' }),
    eventsOf(client, namespace, uidOf(pod)),
  ]);
  const { pools } = poolsOfNodes(all.filter(isVirtual), supports);
  const facts = { pod, nodes: all, pools, events: seen };
  if (!pod.spec?.nodeName) return { ...facts, ...(await surroundingsOf(client, namespace, pools)) };
  if (!pools.some(({ nodeName }) => nodeName === pod.spec?.nodeName)) return facts;
  const [claims, explanation] = await Promise.all([
    claimVolumes(pod).length > 0 ? new PermittedLists(client).claims([namespace]) : undefined,
    explanationOf(client, pod.spec.nodeName, namespace, name),
  ]);
  return { ...facts, ...(claims && { claims }), explanation };
}

async function surroundingsOf(
  client: KubeClient,
  namespace: string,
  pools: readonly Pool[],
): Promise<Pick<WhyFacts, 'burstPods' | 'claims'>> {
  const lists = new PermittedLists(client);
  const onNode = ({ nodeName }: Pool): Promise<Pod[] | undefined> =>
    lists.all(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
  const [claims, ...burstPods] = await Promise.all([lists.claims([namespace]), ...pools.map(onNode)]);
  return {
    ...(claims && { claims }),
    ...(!burstPods.includes(undefined) && { burstPods: burstPods.flatMap((list) => list ?? []) }),
  };
}

async function eventsOf(client: KubeClient, namespace: string, uid: string): Promise<readonly Event[]> {
  const { items } = await client.resource(events).list({ namespace, fieldSelector: `involvedObject.uid=${uid}` });
  return items;
}

async function explanationOf(
  client: KubeClient,
  node: string,
  namespace: string,
  name: string,
): Promise<Explanation | string> {
  const path = `/api/v1/nodes/${node}/proxy/explain/${namespace}/${name}`;
  try {
    return await client.request<Explanation>({ method: 'GET', path, retry: false });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 403) return `asking the virtual node needs the right to get nodes/proxy of ${node}`;
    return `the virtual node did not answer: ${error.message}`;
  }
}
