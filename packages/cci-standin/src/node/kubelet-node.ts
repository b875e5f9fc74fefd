import type { Cluster } from '@spillway/devcluster';
import { type KubeClient, nodes } from '@spillway/kube';
import { nodeName, regionPodCidr } from './configuration.ts';
import type { RegionNode } from './region-node.ts';

/** The kubelet of the region's cluster: `devcluster` has started it, and starts it again when it ends. */
export function kubeletNode(cluster: Cluster, client: KubeClient): RegionNode {
  const kubelet = cluster.component('kubelet');
  return {
    form: 'containers',
    name: nodeName,
    podCidr: regionPodCidr,
    instancesFile: undefined,
    log: kubelet.log,
    pid: () => kubelet.pid(),
    // A cluster that is going down does not answer.
    isReady: async () => ((await isRunning(cluster).catch(() => false)) ? isNodeReady(client) : false),
  };
}

/** The node stays Ready for most of a minute when its kubelet has ended. */
async function isRunning(cluster: Cluster): Promise<boolean> {
  const { components } = await cluster.status();
  return components.some(({ name, phase }) => name === 'kubelet' && phase === 'running');
}

async function isNodeReady(client: KubeClient): Promise<boolean> {
  const { status } = await client.resource(nodes).get({ name: nodeName });
  return status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false;
}
