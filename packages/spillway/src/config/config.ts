import type { Taint } from '@spillway/kube';
import type { Interconnect } from '../podspec/fit/support.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import type { BackendConfig } from './backends.ts';

/** The configuration as the program uses it: every default filled in. What each field means stands in `schema.ts`. */
export interface Config {
  readonly name: string;
  readonly clusterId?: string | undefined;
  readonly kubernetes: KubernetesConfig;
  readonly pools: readonly PoolConfig[];
  readonly placement: PlacementConfig;
  readonly leaderElection: LeaderElectionConfig;
  readonly admission: AdmissionConfig;
  readonly ledger: LedgerConfig;
  readonly observability: ObservabilityConfig;
  readonly link: LinkConfig;
}

export interface KubernetesConfig {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

export interface PlacementConfig {
  readonly enabled: boolean;
  readonly overflowDelaySeconds: number;
  readonly soldOutPatienceSeconds: number;
  readonly maxBindsPerSecond?: number | undefined;
}

export interface LeaderElectionConfig {
  readonly enabled: boolean;
  readonly namespace: string;
  readonly leaseName: string;
  readonly leaseDurationSeconds: number;
  readonly renewDeadlineSeconds: number;
  readonly retryPeriodSeconds: number;
}

export interface AdmissionConfig {
  readonly enabled: boolean;
  readonly carrier: AdmissionCarrier;
  readonly port: number;
  readonly namespace: string;
  readonly serviceName: string;
  readonly url?: string | undefined;
  readonly clientCAFile?: string | undefined;
}

export type AdmissionCarrier = 'auto' | 'policy' | 'webhook';

export interface LedgerConfig {
  readonly directory?: string | undefined;
}

export interface ObservabilityConfig {
  readonly logLevel: LogLevel;
  readonly healthPort?: number | undefined;
}

/** The server of the link agents. */
export interface LinkConfig {
  readonly port: number;
  readonly namespace: string;
  readonly servers: readonly string[];
  readonly image?: string | undefined;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface PoolConfig {
  readonly name: string;
  readonly nodeName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly TaintConfig[];
  readonly capacity: CapacityConfig;
  readonly address?: string | undefined;
  readonly kubeletPort: number;
  readonly servingCertificate: ServingCertificateConfig;
  readonly dns: DnsConfig;
  readonly interconnect: Interconnect;
  readonly ping: PingConfig;
  readonly sweep: SweepConfig;
  readonly keepEndedSeconds: number;
  readonly deadMan?: DeadManConfig | undefined;
  readonly metrics: MetricsConfig;
  readonly daemonSets: 'placeholder' | 'reject';
  readonly sizing: RuleSetName;
  readonly backend: BackendConfig;
}

/** What happens to instances when nobody serves the pool for a long time. */
export interface DeadManConfig {
  readonly afterSeconds: number;
  readonly image?: string | undefined;
}

export interface TaintConfig {
  readonly key: string;
  readonly value?: string | undefined;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** The taints of the pool's node that do not come and go. */
export const poolTaints = ({ taints }: Pick<PoolConfig, 'taints'>): readonly Taint[] =>
  taints.map(({ key, value, effect }) => ({ key, ...(value !== undefined && { value }), effect }));

export interface CapacityConfig {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly pods?: string | undefined;
  readonly 'ephemeral-storage'?: string | undefined;
}

/** Exactly one of the two is set. */
export interface ServingCertificateConfig {
  readonly csr?: { readonly approve: boolean } | undefined;
  readonly files?: { readonly cert: string; readonly key: string } | undefined;
}

export interface DnsConfig {
  readonly clusterDNS: readonly string[];
  readonly clusterDomain: string;
}

export interface PingConfig {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
}

export interface SweepConfig {
  readonly graceSeconds: number;
  readonly maxFraction: number;
  readonly suspicionSeconds: number;
}

export interface MetricsConfig {
  readonly intervalSeconds: number;
}

/** Each pool has a Lease of its own, so that the pools can be led by different replicas. */
export const poolLeaseName = ({ leaseName }: LeaderElectionConfig, { name }: Pick<PoolConfig, 'name'>): string =>
  `${leaseName}-${name}`;

/** The placement controller decides for all pools, so there is one Lease for it; no pool may have its name. */
export const placementName = 'placement';
export const placementLeaseName = ({ leaseName }: LeaderElectionConfig): string => `${leaseName}-${placementName}`;
