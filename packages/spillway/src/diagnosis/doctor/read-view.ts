import {
  ApiError,
  daemonSets,
  deployments,
  endpointSlices,
  ingresses,
  jobs,
  type KubeClient,
  type KubeObject,
  leases,
  type ListOptions,
  nodes,
  type Pod,
  pods,
  type ResourceType,
  services,
  statefulSets,
} from '@spillway/kube';
import { burstLabels } from '../../podspec/contract.ts';
import { everyPage } from '../every-page.ts';
import { poolsOfNodes, type Supports } from '../pools.ts';
import { isVirtual } from '../why.ts';
import type { ClusterView } from './view.ts';

/** Reads what `spillway doctor` looks at, in pages, with the user's rights. @throws ApiError, TransportError */
export async function readView(client: KubeClient, supports: Supports): Promise<ClusterView> {
  const unreadable = new Map<string, string>();
  const all = async <T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<T[]> => {
    try {
      return await everyPage(client, type, options);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      unreadable.set(type.plural, error.message);
      return [];
    }
  };
  const [version, nodeList, ...rest] = await Promise.all([
    client.request<{ gitVersion?: string }>({ method: 'GET', path: '/version' }),
    all(nodes),
    all(leases, { namespace: 'kube-node-lease' }),
    all(deployments),
    all(statefulSets),
    all(jobs),
    all(daemonSets),
    all(pods, { namespace: 'kube-system' }),
    all(services),
    all(ingresses),
    all(endpointSlices),
  ]);
  const [leaseList, deploymentList, statefulSetList, jobList, daemonSetList, systemPods, ...network] = rest;
  const [serviceList, ingressList, sliceList] = network;
  const { pools } = poolsOfNodes(nodeList.filter(isVirtual), supports);
  const concerned = await Promise.all([
    ...pools.map(({ nodeName }) => all(pods, { fieldSelector: `spec.nodeName=${nodeName}` })),
    ...burstLabels.map((label) => all(pods, { labelSelector: `${label} in (auto,localPrefer,enforce)` })),
  ]);
  const seen = new Map<string, Pod>();
  for (const pod of [...systemPods, ...concerned.flat()]) seen.set(pod.metadata?.uid ?? '', pod);
  return {
    nowMs: Date.now(),
    serverVersion: version.gitVersion ?? '',
    nodes: nodeList,
    leases: leaseList,
    deployments: deploymentList,
    statefulSets: statefulSetList,
    jobs: jobList,
    daemonSets: daemonSetList,
    pods: [...seen.values()],
    pools,
    services: serviceList,
    ingresses: ingressList,
    endpointSlices: sliceList,
    unreadable,
  };
}
