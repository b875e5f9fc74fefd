import type { Cluster, ClusterOptions } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import type { Contestant, ContestantName, SpillwaySettings } from '../contestants/contestant.ts';
import type { Figure, Figures } from '../report/results.ts';
import type { PodNames } from './pod-names.ts';

/** One kind of work that contestants are measured at, one after the other. */
export interface Scenario {
  readonly name: string;
  /** Completes its line in `--help`. */
  readonly about: string;
  readonly contestants: readonly ContestantName[];
  /** Numbers of pods, unless somebody asks for others. */
  readonly pods: readonly number[];
  readonly figures: readonly Figure[];
  /** What it takes of the control plane beyond the usual. */
  readonly cluster?: Pick<ClusterOptions, 'extraArgs' | 'node'>;
  /** One contestant's turn. */
  readonly measure: (turn: Turn) => Promise<Figures>;
}

/** What a turn has to work with; pods that are left in the namespace are removed after it. */
export interface Turn {
  readonly cluster: Cluster;
  /** The load generator's. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly pods: number;
  readonly names: PodNames;
  /** Starts the contestant whose turn it is; the settings are for Spillway, the others have none. */
  readonly start: (settings?: SpillwaySettings) => Promise<Contestant>;
  readonly signal: AbortSignal;
}
