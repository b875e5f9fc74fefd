import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Longest time in seconds that the event loop stood still since the last call, of a program that has one. */
  stallSeconds?(): Promise<number>;
  /** What only Spillway tells of itself. */
  readonly inside?: Inside;
}

export interface Inside {
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

/** Asks a process of a contestant by SIGUSR2 for a number, which it writes into its log as a line of JSON with this key. */
export async function askByLog(pid: number, logFile: string, key: string): Promise<number> {
  const told = async (): Promise<string[]> => {
    const lines = (await readFile(logFile, 'utf8')).matchAll(/^\{"(\w+)":([\d.]+)\}$/gm);
    return [...lines].flatMap(([, name, value = '']) => (name === key ? [value] : []));
  };
  const before = (await told()).length;
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    const value = (await told())[before];
    if (value !== undefined) return Number(value);
    await sleep(50);
  }
}
