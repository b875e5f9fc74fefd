import { isForbidden, isInvalid, type KubeClient, nodes, type Pod, pods, uidOf } from '@spillway/kube';
import { type DefaultTolerationSeconds, defaultsOf, usualTolerationSeconds } from './tolerated-outage.ts';

/**
 * Asks the API server which tolerations it writes into pods, by a dry run: nothing is stored. What a node may create is a
 * mirror pod of its own. Where a policy of the cluster refuses even that, the usual values are assumed.
 *
 * @param client of the node agent
 * @throws ApiError (not found while the node is not registered), TransportError
 */
export async function readDefaultTolerations(
  client: Pick<KubeClient, 'resource'>,
  nodeName: string,
  signal: AbortSignal,
): Promise<DefaultTolerationSeconds> {
  const node = await client.resource(nodes).get({ name: nodeName }, { signal });
  const mirror: Pod = {
    metadata: {
      name: `${nodeName}-defaults`,
      namespace: 'kube-node-lease',
      annotations: { 'kubernetes.io/config.mirror': 'dry-run' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: uidOf(node), controller: true }],
    },
    spec: { nodeName, containers: [{ name: 'none', image: 'none' }] },
  };
  try {
    return defaultsOf(await client.resource(pods).create(mirror, { dryRun: true, signal }));
  } catch (error) {
    if (isForbidden(error) || isInvalid(error)) return usualTolerationSeconds;
    throw error;
  }
}
