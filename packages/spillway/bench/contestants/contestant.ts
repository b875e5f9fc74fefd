import type { Cluster } from '@spillway/devcluster';
import type { TestbedOptions } from '../../testkit/testbed.ts';

export const contestantNames = ['spillway', 'bare', 'kwok', 'virtual-kubelet'] as const;
export type ContestantName = (typeof contestantNames)[number];

/** What a scenario wants of Spillway besides a node for its pods. */
export type SpillwaySettings = Partial<Pick<TestbedOptions, 'advice' | 'backend' | 'keepInstances' | 'remote'>>;

/** A running agent of one virtual node. Disposing ends its process and removes the node. */
export interface Contestant extends AsyncDisposable {
  readonly nodeName: string;
  readonly pid: number;
  /** Rejects when the process ends by itself. */
  readonly ended: Promise<never>;
  /** What only Spillway tells of itself. */
  readonly inside?: Inside;
}

export interface Inside {
  /** Longest time in seconds that the event loop stood still since the last call. */
  stallSeconds(): Promise<number>;
  /** Bytes in use after a full garbage collection. */
  heapAfterCollection(): Promise<number>;
  /** A sum over the samples of a metric so far, those with these labels. */
  total(metric: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Ends the process with SIGKILL and starts it again; resolves with the new one's id when its node is Ready. */
  restart(): Promise<number>;
}

export async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${stderr.trim()}`);
  return stdout;
}
