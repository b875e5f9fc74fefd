import type { Cluster, ClusterOptions } from '@spillway/devcluster';
import type { KubeClient } from '@spillway/kube';
import type { Contestant, SpillwaySettings } from '../contestants/contestant.ts';
import type { Product } from '../contestants/product.ts';
import type { Figures, Shown } from '../report/results.ts';
import type { PodNames } from './pod-names.ts';

/** One kind of work that contestants are measured at, one after the other. */
export interface Scenario extends Shown {
  /** Completes its line in `--help`. */
  readonly about: string;
  /** Numbers of pods, unless somebody asks for others; of a scenario with another unit, always these. */
  readonly pods: readonly number[];
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
  readonly product: Product;
  /** Starts the contestant whose turn it is; the settings are for Spillway, the others have none. */
  readonly start: (settings?: SpillwaySettings) => Promise<Contestant>;
  readonly signal: AbortSignal;
}
