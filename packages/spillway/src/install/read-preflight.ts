import { clusterRoleBindings, deployments, type KubeClient, leases, namespaces, nodes, secrets } from '@spillway/kube';
import type { Abilities } from '../addon/installation/installation.ts';
import type { SecretMount } from '../addon/installation/secret-mounts.ts';
import { readAddOn } from '../cce-addon/read-add-on.ts';
import type { Config } from '../config/config.ts';
import type { PreflightView } from './preflight.ts';
import { getOrUndefined } from './read.ts';

export interface PreflightOptions {
  readonly config: Config;
  readonly namespace: string;
  readonly stateClaim: string | undefined;
  readonly mounts: readonly SecretMount[];
  readonly abilities: Abilities;
  readonly nowMs: number;
}

/** @throws ApiError, TransportError */
export async function readPreflight(
  client: KubeClient,
  { mounts, ...options }: PreflightOptions,
  signal: AbortSignal,
): Promise<PreflightView> {
  const { config, namespace } = options;
  const { gitVersion = '' } = await client.request<{ gitVersion?: string }>({
    method: 'GET',
    path: '/version',
    signal,
  });
  const addOn = await readAddOn(client, signal);
  const [space, deployment, binding, ...ofPools] = await Promise.all([
    getOrUndefined(client, namespaces, { name: namespace }, signal),
    getOrUndefined(client, deployments, { namespace, name: config.name }, signal),
    getOrUndefined(client, clusterRoleBindings, { name: `${config.name}-controller` }, signal),
    ...config.pools.map(async ({ nodeName }) => ({
      node: await getOrUndefined(client, nodes, { name: nodeName }, signal),
      lease: await getOrUndefined(client, leases, { namespace: 'kube-node-lease', name: nodeName }, signal),
    })),
  ]);
  const missingSecrets: string[] = [];
  for (const name of new Set(mounts.map(({ secret }) => secret))) {
    if ((await getOrUndefined(client, secrets, { namespace, name }, signal)) === undefined) missingSecrets.push(name);
  }
  return { ...options, serverVersion: gitVersion, space, deployment, binding, nodes: ofPools, missingSecrets, addOn };
}
