import type { Interconnect } from '../../podspec/fit/support.ts';
import type { Answer, Question } from './probe.ts';

/** Where a test pod runs: on a node of the cluster, or on a virtual one. */
export const sides = ['cluster', 'burst'] as const;
export type Side = (typeof sides)[number];

export const otherSide = (side: Side): Side => (side === 'cluster' ? 'burst' : 'cluster');

/** What each pod tries, in this order: all but the last with the pod on the other side. */
export const checks = [
  'podTcp',
  'podUdp',
  'name',
  'serviceTcp',
  'serviceUdp',
  'transfer',
  'endpoints',
  'apiServer',
] as const;
export type Check = (typeof checks)[number];

/** What there is to find; docs/doctor.md has a section for each. */
export const networkFindingCodes = [
  'network-pod-not-started',
  'network-pod-not-asked',
  'network-pods-unreachable',
  'network-udp-blocked',
  'network-names-unknown',
  'network-services-unreachable',
  'network-transfer-broken',
  'network-endpoints-not-followed',
  'network-api-server-unreachable',
  'network-not-removed',
] as const;
export type NetworkFindingCode = (typeof networkFindingCodes)[number];

/** The question of a check that was asked, and what came of it. */
export interface Asked {
  readonly question: Question;
  readonly answer: Answer;
}

export interface SideView {
  /** `Pod default/spillway-network-1a2b-burst` */
  readonly pod: string;
  readonly node: string;
  readonly address: string;
  readonly nameServers: readonly string[];
  /** Where client libraries of the pod look for the API server. */
  readonly apiServer: string;
  /** Checks that say nothing new were not made. */
  readonly asked: Readonly<Partial<Record<Check, Asked>>>;
  /** Why the pod could not be asked, if so. */
  readonly notAsked?: string;
}

/** All that was seen. */
export interface NetworkView {
  /** The virtual node. */
  readonly nodeName: string;
  /** undefined: its node does not say it. */
  readonly interconnect: Interconnect | undefined;
  /** Why a pod did not start, where one did not. */
  readonly notStarted: Readonly<Partial<Record<Side, string>>>;
  /** Both, or none if one did not start. */
  readonly sides: Readonly<Record<Side, SideView>> | undefined;
  /** Cluster IPs of the Services, by the side of their endpoint. */
  readonly clusterIps: Readonly<Record<Side, string>>;
  /** Networks of cluster IPs. Empty: the API server does not tell. */
  readonly serviceNetworks: readonly string[];
  /** What is routed to the node of the pod in the cluster, and the address of that node. */
  readonly clusterNode: { readonly podNetworks: readonly string[]; readonly address: string };
  /** The last warning of the agent in the burst pod. */
  readonly agentSays?: string;
  /** What is left, with how to remove it. */
  readonly notRemoved?: string;
}

/** One cell of the matrix. */
export interface Cell {
  readonly check: Check;
  readonly from: Side;
  readonly state: 'ok' | 'failed' | 'skipped';
  /** A few words: `0.4 ms`, `ECONNREFUSED`. */
  readonly text: string;
  /** Of a cell that failed, as of a finding. */
  readonly code?: NetworkFindingCode;
  readonly message?: string;
  readonly remedy?: string;
}

/** The answer of `spillway doctor network`. */
export interface NetworkReport {
  readonly node: string;
  readonly interconnect: Interconnect | 'unknown';
  readonly cells: readonly Cell[];
  /** What is about no single cell. */
  readonly findings: readonly NetworkFinding[];
}

export interface NetworkFinding {
  readonly code: NetworkFindingCode;
  readonly message: string;
  readonly remedy: string;
}
