import {
  certificateSigningRequests,
  deployments,
  isNotFound,
  type KubeClient,
  type KubeObject,
  leases,
  nodes,
  type ObjectRef,
  pods,
  type ResourceType,
  secrets,
  services,
  configMaps,
} from '@spillway/kube';
import { type Abilities, configMapName } from '../addon/installation/installation.ts';
import type { InstalledParts } from '../addon/installation/options-of.ts';
import { filesSecretName } from '../addon/installation/secret-mounts.ts';
import { type Config, poolLeaseName } from '../config/config.ts';
import { selectorTextOf } from '../podspec/installation.ts';
import type { RolloutView } from './rollout.ts';

const undefinedIfMissing = (error: unknown): undefined => {
  if (!isNotFound(error)) throw error;
};

export const getOrUndefined = async <T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<T | undefined> => await client.resource(type).get(ref, { signal }).catch(undefinedIfMissing);

/** Which admission policies the cluster has. */
export async function readAbilities(client: KubeClient, signal: AbortSignal): Promise<Abilities> {
  const path = '/apis/admissionregistration.k8s.io/v1';
  const { resources } = await client.request<{ resources: { name: string }[] }>({ method: 'GET', path, signal });
  const has = (plural: string): boolean => resources.some(({ name }) => name === plural);
  return { mutatingPolicies: has('mutatingadmissionpolicies'), validatingPolicies: has('validatingadmissionpolicies') };
}

/** An installation with this name, and the text of its configuration. Undefined: there is none in the namespace. */
export async function readInstalled(
  client: KubeClient,
  name: string,
  namespace: string,
  signal: AbortSignal,
): Promise<(InstalledParts & { readonly configText: string | undefined }) | undefined> {
  const deployment = await getOrUndefined(client, deployments, { namespace, name }, signal);
  if (deployment === undefined) return undefined;
  const [linkService, filesSecret, configMap] = await Promise.all([
    getOrUndefined(client, services, { namespace, name: `${name}-link` }, signal),
    getOrUndefined(client, secrets, { namespace, name: filesSecretName(name) }, signal),
    getOrUndefined(client, configMaps, { namespace, name: configMapName(name) }, signal),
  ]);
  return { deployment, linkService, filesSecret, configText: configMap?.data?.['config.yaml'] };
}

/** Where the Deployment of an installation is. Undefined: it has none. */
export async function namespaceOf(client: KubeClient, name: string, signal: AbortSignal): Promise<string | undefined> {
  const { items } = await client.resource(deployments).list({ labelSelector: selectorTextOf(name), signal });
  return items[0]?.metadata?.namespace;
}

/** @param config of the installation */
export async function readRollout(
  client: KubeClient,
  config: Config,
  namespace: string,
  signal: AbortSignal,
): Promise<RolloutView> {
  const { name, leaderElection, pools } = config;
  const labelSelector = selectorTextOf(name);
  const [deployment, found, requests, ...ofPools] = await Promise.all([
    getOrUndefined(client, deployments, { namespace, name }, signal),
    client.resource(pods).list({ namespace, labelSelector, signal }),
    client
      .resource(certificateSigningRequests)
      .list({ fieldSelector: 'spec.signerName=kubernetes.io/kubelet-serving', signal }),
    ...pools.map(async (pool) => ({
      name: pool.name,
      nodeName: pool.nodeName,
      lease: await getOrUndefined(
        client,
        leases,
        { namespace: leaderElection.namespace, name: poolLeaseName(leaderElection, pool) },
        signal,
      ),
      node: await getOrUndefined(client, nodes, { name: pool.nodeName }, signal),
    })),
  ]);
  return { deployment, pods: found.items, pools: ofPools, signingRequests: requests.items };
}

/** The last lines that a container of the pod has written before it ended. */
export async function lastWords(
  client: KubeClient,
  namespace: string,
  pod: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  try {
    const stream = await client.stream({ method: 'GET', path, query: { previous: true, tailLines: 5 }, signal });
    const chunks: Buffer[] = [];
    for await (const chunk of stream.body) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    signal.throwIfAborted();
    return [];
  }
}
