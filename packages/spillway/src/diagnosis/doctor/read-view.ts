import {
  ApiError,
  certificateSigningRequests,
  daemonSets,
  deployments,
  endpointSlices,
  ingresses,
  jobs,
  type KubeClient,
  type KubeObject,
  leases,
  type ListOptions,
  mutatingAdmissionPolicies,
  mutatingWebhookConfigurations,
  nameOf,
  namespaces,
  nodes,
  type Pod,
  pods,
  type ResourceType,
  services,
  statefulSets,
  uidOf,
  validatingAdmissionPolicies,
} from '@spillway/kube';
import { isAddOnNode } from '../../cce-addon/marks.ts';
import { burstLabels } from '../../podspec/contract.ts';
import { everyPage } from '../every-page.ts';
import { poolsOfNodes, type Supports } from '../pools.ts';
import { isVirtual } from '../why.ts';
import type { AdmissionView, ClusterView } from './view.ts';

const ours = { labelSelector: 'app.kubernetes.io/name=spillway' };

/** Reads what `spillway doctor` looks at, in pages, with the user's rights. @throws ApiError, TransportError */
export async function readView(client: KubeClient, supports: Supports): Promise<ClusterView> {
  const unreadable = new Map<string, unknown>();
  /** @param what in words: of what nothing is said without the answer */
  const unlessRefused = async <T>(what: string, otherwise: T, ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.kind === 'unauthorized') throw error;
      // Kubernetes of this version has no such thing.
      if (error.kind !== 'notFound') unreadable.set(what, error);
      return otherwise;
    }
  };
  const all = <T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<T[]> =>
    unlessRefused(type.plural, [], () => everyPage(client, type, options));
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
    all(certificateSigningRequests, { fieldSelector: 'spec.signerName=kubernetes.io/kubelet-serving' }),
    unlessRefused('which cluster this is', undefined, async () =>
      uidOf(await client.resource(namespaces).get({ name: 'kube-system' })),
    ),
    unlessRefused('whether admission works', undefined, () => probeAdmission(client)),
    all(mutatingAdmissionPolicies, ours),
    all(validatingAdmissionPolicies, ours),
    all(mutatingWebhookConfigurations, ours),
  ]);
  const [leaseList, deploymentList, statefulSetList, jobList, daemonSetList, systemPods, ...more] = rest;
  const [serviceList, ingressList, sliceList, signingRequests, clusterUid, probe, ...admission] = more;
  const [mutating, validating, webhooks] = admission;
  const { pools } = poolsOfNodes(nodeList.filter(isVirtual), supports);
  const concerned = await Promise.all([
    ...[...pools.map(({ nodeName }) => nodeName), ...nodeList.filter(isAddOnNode).map(nameOf)].map((nodeName) =>
      all(pods, { fieldSelector: `spec.nodeName=${nodeName}` }),
    ),
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
    signingRequests,
    clusterUid,
    admission: {
      policies: [...mutating, ...validating],
      webhooks: webhooks.map((each) => `MutatingWebhookConfiguration ${nameOf(each)}`),
      probe,
    },
    unreadable,
  };
}

/** A dry run: nothing is created. @throws ApiError when somebody else refuses it */
async function probeAdmission(client: KubeClient): Promise<AdmissionView['probe']> {
  const pod: Pod = {
    metadata: { generateName: 'spillway-doctor-', namespace: 'default', labels: { [burstLabels[0]]: 'enforce' } },
    // Pools that bill by the request refuse pods without one.
    spec: { containers: [{ name: 'main', image: 'none', resources: { requests: { cpu: '250m', memory: '512Mi' } } }] },
  };
  try {
    return { pod: await client.resource(pods).create(pod, { dryRun: true }) };
  } catch (error) {
    if (error instanceof ApiError && error.message.includes('.spillway.dev"')) return { refusal: error.message };
    throw error;
  }
}
