import type { Left } from '../removal/report.ts';
import type { HibernationTarget } from '../podspec/hibernation.ts';
import type { Intent } from './plan.ts';
import type { WorkloadKind } from './workload.ts';

export interface HibernatedWorkload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** What is done to it. */
  readonly change: Intent;
  /** What `spillway resume` gives back. */
  readonly before: { readonly replicas?: number; readonly suspended?: false; readonly label?: string | null };
  /** On virtual nodes, when the command began. */
  readonly burstPods: number;
  /** As many of these find no room on the nodes of the cluster. Only of a dry run, to `local`. */
  readonly waiting?: number;
}

/** What has become of the workloads, as the last look at cluster and backends shows it. */
export interface HibernationReport {
  /** Nothing was changed: this is what would be. */
  readonly dryRun: boolean;
  readonly clusterId: string;
  readonly to: HibernationTarget;
  /** Virtual nodes that take no pods. None: only a part of the workloads was asked for. */
  readonly nodes: readonly string[];
  readonly workloads: readonly HibernatedWorkload[];
  /** Pods without a workload that were ended. Nobody gives them back. */
  readonly endedPods: readonly { readonly namespace: string; readonly name: string }[];
  /** What still bursts, and why. */
  readonly remains: readonly Left[];
  /** What people should know besides. */
  readonly notes: readonly string[];
}

export interface ResumedWorkload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** What it was given back. */
  readonly restored: { readonly replicas?: number; readonly suspended?: false; readonly label?: string | null };
  /** What somebody has changed in between, and was left as it is. */
  readonly kept: readonly string[];
}

export interface ResumeReport {
  readonly dryRun: boolean;
  /** Virtual nodes that take pods again. */
  readonly nodes: readonly string[];
  readonly workloads: readonly ResumedWorkload[];
  /** What could not be given back, and why. */
  readonly remains: readonly Left[];
  readonly notes: readonly string[];
}
