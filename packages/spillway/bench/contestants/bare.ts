import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { askByLog, type Contestant } from './contestant.ts';
import { startOtherProcess } from './other-process.ts';

const nodeName = 'bench-bare';

/** Starts the least program that does what a virtual node must: what the API server takes for itself. */
export async function startBare(cluster: Cluster): Promise<Contestant> {
  const bare = await startOtherProcess(cluster, {
    nodeName,
    program: process.execPath,
    args: [
      '--conditions=spillway-source',
      path.join(import.meta.dirname, 'bare-program.ts'),
      cluster.kubeconfig,
      nodeName,
    ],
  });
  return { ...bare, stallSeconds: () => askByLog(bare.pid, bare.logFile, 'stallSeconds') };
}
