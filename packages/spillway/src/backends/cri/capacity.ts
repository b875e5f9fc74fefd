import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import type { Capacity } from '../backend.ts';

/** As many as a kubelet takes by default. */
const defaultPods = '110';

/** What the machine has, where the configuration says nothing else. */
export async function machineCapacity(stateDir: string, configured: Partial<Capacity> = {}): Promise<Capacity> {
  const { blocks, bsize } = await statfs(stateDir);
  return {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: defaultPods,
    'ephemeral-storage': `${Math.floor((blocks * bsize) / 1024)}Ki`,
    ...configured,
  };
}
