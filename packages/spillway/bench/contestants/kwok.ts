import type { Cluster, Kwok } from '@spillway/devcluster';
import type { Contestant } from './contestant.ts';
import { startOtherProcess } from './other-process.ts';

const nodeName = 'bench-kwok';

/**
 * Starts KWOK with its fast stages and one node, everything else as it comes. Alone it renews no lease, and after 50 s the
 * node controller would mark the node and all its pods NotReady; the duration is the one that `kwokctl` gives it.
 */
export const startKwok = (cluster: Cluster, { program, fastStages }: Kwok): Promise<Contestant> =>
  startOtherProcess(cluster, {
    nodeName,
    program,
    args: [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--manage-single-node=${nodeName}`,
      '--node-lease-duration-seconds=40',
      ...fastStages.map((file) => `--config=${file}`),
    ],
    node: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: nodeName, labels: { type: 'kwok' }, annotations: { 'node.alpha.kubernetes.io/ttl': '0' } },
    },
  });
