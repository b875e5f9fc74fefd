import type { DaemonSet, Deployment, Job, Node, Pod, ResourceQuota, Service, StatefulSet } from '@spillway/kube';
import type { BackendErrorKind } from '../../backend.ts';
import type { Interconnect } from '../../../podspec/fit/support.ts';
import type { NetworkSettings } from '../dialects.ts';
import type { CciBackendOptions } from '../make-cci.ts';

/** What there is to find about a pool in CCI; docs/doctor.md has a section for each. */
export const cciFindingCodes = [
  'cci-unreachable',
  'cci-credential-missing',
  'cci-credential-refused',
  'cci-account-blocked',
  'cci-namespace-taken',
  'cci-network-not-ready',
  'cci-network-of-other-subnet',
  'cci-test-pod-failed',
  'cci-failed',
  'cci-clock-skew',
  'cci-not-authorized',
  'cci-quota',
  'cci-registry-login',
  'cci-dns',
  'cci-address-overlap',
  'cci-tunnel-network',
  'cci-third-party-registry',
  'cci-not-made-yet',
  'cci-not-checked',
  'cci-test-pod-started',
] as const;

export interface CciFinding {
  readonly code: (typeof cciFindingCodes)[number];
  readonly severity: 'error' | 'warning' | 'info';
  readonly object?: string;
  readonly message: string;
  readonly remedy: string;
}

/** What of a pool's backend section is looked at. */
export type PoolBackend = NetworkSettings &
  Pick<
    CciBackendOptions,
    | 'apiVersion'
    | 'ca'
    | 'credentials'
    | 'endpoint'
    | 'iamEndpoint'
    | 'imageReplacements'
    | 'namespaceName'
    | 'projectName'
    | 'region'
  >;

/** A pool, what its account answered, and what was read in the cluster. */
export interface CciView {
  readonly pool: string;
  readonly nodeName: string;
  readonly backend: PoolBackend;
  /** `dns.clusterDNS` of the pool */
  readonly dnsServers: readonly string[];
  /** How its pods reach the Services of the cluster. */
  readonly interconnect: Interconnect;
  readonly account: AccountView;
  readonly cluster: ClusterFacts;
}

export interface ClusterFacts {
  readonly nodes: readonly Node[];
  readonly services: readonly Service[];
  readonly deployments: readonly Deployment[];
  readonly statefulSets: readonly StatefulSet[];
  readonly jobs: readonly Job[];
  readonly daemonSets: readonly DaemonSet[];
  readonly pods: readonly Pod[];
}

/** What went wrong with a question. */
export interface Trouble {
  readonly kind: BackendErrorKind;
  readonly message: string;
  readonly remedy?: string | undefined;
  readonly reason?: string | undefined;
}

/** One answer after the other: what is missing was not asked, because of what came before. */
export interface AccountView {
  /** Of CCI */
  readonly namespace: string;
  readonly gateway?: Answer<{ readonly skewMs: number | undefined }>;
  readonly login?: Answer<{ readonly described: string }>;
  readonly accepted?: Answer<true>;
  readonly agency?: Answer<boolean>;
  /** Answer: it is there and ours, or it is not there. */
  readonly made?: Answer<boolean>;
  /** Whether the account may make anything now */
  readonly standing?: Answer<true>;
  readonly network?: Answer<'missing' | 'ready' | { readonly waiting: string }>;
  readonly quotas?: Answer<readonly ResourceQuota[]>;
  readonly registry?: RegistryView;
  readonly testPod?: TestPodView;
}

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly trouble: Trouble };

export type RegistryView =
  /** Who Spillway is has no permanent key. */
  | { readonly kind: 'noLogin' }
  | { readonly kind: 'accepted' | 'refused' | 'unreachable'; readonly host: string; readonly why: string };

export type TestPodView =
  | { readonly kind: 'started'; readonly name: string; readonly image: string; readonly seconds: number }
  | { readonly kind: 'failed'; readonly image: string; readonly trouble: Trouble }
  /** There is no network that it could be made in. */
  | { readonly kind: 'notMade' };

/** With how much the pod of `--run-pod` runs. */
export const testPodSize = { cpu: '250m', memory: '1Gi' } as const;
