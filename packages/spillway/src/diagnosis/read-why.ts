import { ApiError, type Event, events, type KubeClient, nodes, pods, uidOf } from '@spillway/kube';
import type { Explanation } from '../pods/explain.ts';
import { isVirtual, type WhyFacts } from './why.ts';

/** Reads everything that {@link why} needs. @throws ApiError: 404 when there is no such pod; TransportError */
export async function readWhy(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<WhyFacts> {
  const pod = await client.resource(pods).get({ namespace, name });
  const [{ items: all }, seen] = await Promise.all([
    client.resource(nodes).list({ labelSelector: 'type=virtual-kubelet' }),
    eventsOf(client, namespace, uidOf(pod)),
  ]);
  const node = all.find(({ metadata }) => metadata?.name === pod.spec?.nodeName);
  const facts = { pod, nodes: all, events: seen };
  if (node === undefined || !isVirtual(node)) return facts;
  return { ...facts, explanation: await explanationOf(client, node.metadata?.name ?? '', namespace, name) };
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
