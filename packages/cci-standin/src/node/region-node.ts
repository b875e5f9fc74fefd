import type { Cluster } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import type { NodeForm } from './configuration.ts';
import { hideApiServer } from './hide-api-server.ts';
import { kubeletNode } from './kubelet-node.ts';
import { type SimulatedNodeOptions, startSimulatedNode } from './simulated-node.ts';

/** What runs the region's pods. */
export interface RegionNode {
  readonly form: NodeForm;
  readonly name: string;
  readonly podCidr: string;
  /** Of a simulated node: the file in which it keeps what would run */
  readonly instancesFile: string | undefined;
  /** Path of the file with the output of its program */
  readonly log: string;
  /** Of its program; undefined while it does not run */
  pid(): Promise<number | undefined>;
  /** Whether it looks after its pods */
  isReady(): Promise<boolean>;
}

/** Resolves when the node is Ready. It ends with `undo`, or with the cluster whose kubelet it is. */
export async function startNode(
  { cluster, client }: { readonly cluster: Cluster; readonly client: KubeClient },
  { form, ...options }: SimulatedNodeOptions & { readonly form: NodeForm },
  undo: AsyncDisposableStack,
): Promise<RegionNode> {
  await hideApiServer(client);
  return form === 'containers' ? kubeletNode(cluster, client) : startSimulatedNode(cluster, options, undo);
}
