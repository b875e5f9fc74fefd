import type { ConfigMap, Pod, Secret, Service } from '@spillway/kube';
import type { DnsConfig } from './dns.ts';
import type { EnvVarTemplate } from './env.ts';
import type { RegistryCredential } from './images.ts';
import type { Notice } from './notice.ts';
import type { TokenReference } from './references.ts';
import type { ResolvedVolume } from './volumes.ts';

/** What the cluster holds for the pod, already fetched; see `referencesOf`. Answers come at once, `undefined` says that there is none. */
export interface WorkloadSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  /** The token itself. */
  token(reference: TokenReference): string | undefined;
  /** At least all Services of the pod's namespace and `kubernetes` of the namespace `default`. */
  readonly services: readonly Service[];
}

/** What the virtual node knows. */
export interface WorkloadFacts {
  /** Addresses of the virtual node, the main one first. */
  readonly hostIPs: readonly string[];
  /** The node's allocatable resources: what a `resourceFieldRef` to a limit that is not set says. */
  readonly allocatable: Readonly<Record<string, string>>;
  readonly dns: NodeDns;
}

export interface NodeDns {
  /** Addresses of the cluster's DNS Service; empty: pods get the host's resolver. */
  readonly clusterServers: readonly string[];
  /** E.g. `cluster.local`; empty: no cluster search domains. */
  readonly clusterDomain: string;
  /** Resolver of the host, for `dnsPolicy: Default`; absent: the backend's own. */
  readonly host?: DnsConfig;
}

/** The parts of a workload that come from the cluster: `{ ref, pod, ...parts }` is a backend's `Workload`. */
export interface WorkloadParts {
  readonly environment: ReadonlyMap<string, readonly EnvVarTemplate[]>;
  readonly volumes: ReadonlyMap<string, ResolvedVolume>;
  readonly registryCredentials: readonly RegistryCredential[];
  readonly dns?: DnsConfig;
  readonly hostIPs: readonly string[];
}

/** Something mandatory that is not there (yet), or that nobody can resolve. */
export interface MissingReference {
  readonly kind: 'configMap' | 'secret' | 'token' | 'invalid';
  /** Name of the object; for `invalid` the field. */
  readonly name: string;
  /** The key that the object lacks; absent: the object is missing. */
  readonly key?: string;
  /** Who needs it. */
  readonly container?: string;
  readonly volume?: string;
  /** For `state.waiting` of the container, or of all containers when a volume lacks it. */
  readonly waiting: { readonly reason: 'CreateContainerConfigError' | 'ContainerCreating'; readonly message?: string };
  /** The kubelet's event. */
  readonly event: Notice;
}

export type Resolution =
  | { readonly ok: true; readonly workload: WorkloadParts; readonly notices: readonly Notice[] }
  | { readonly ok: false; readonly missing: readonly MissingReference[] };

/**
 * Resolves everything in the pod's spec that needs the cluster. Pure: the same arguments give the same answer.
 * All that is missing is reported at once, volumes first, as the kubelet meets them.
 */
export function resolveWorkload(_pod: Pod, _sources: WorkloadSources, _facts: WorkloadFacts): Resolution {
  throw new Error('not implemented');
}
