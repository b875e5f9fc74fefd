import type { Cluster } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import type { NodeForm } from './configuration.ts';
import { hideApiServer } from './hide-api-server.ts';
import { kubeletNode } from './kubelet-node.ts';
import type { RegionNode } from './region-node.ts';
import { type SimulatedNodeOptions, startSimulatedNode } from './simulated-node.ts';

/** Resolves when the node is Ready. It ends with `undo`, or with the cluster whose kubelet it is. */
export async function startNode(
  { cluster, client }: { readonly cluster: Cluster; readonly client: KubeClient },
  { form, ...options }: SimulatedNodeOptions & { readonly form: NodeForm },
  undo: AsyncDisposableStack,
): Promise<RegionNode> {
  await hideApiServer(client);
  return form === 'containers' ? kubeletNode(cluster, client) : startSimulatedNode(cluster, options, undo);
}
