import type { ConfigMap, Secret, Service } from '@spillway/kube';
import type { ClaimSources } from './claims.ts';
import type { NodeDns } from './dns.ts';
import type { TokenReference } from './references.ts';

/** What the cluster holds for the pod, already fetched; see `referencesOf`. Answers come at once, `undefined` says that there is none. */
export interface WorkloadSources {
  configMap(name: string): ConfigMap | undefined;
  secret(name: string): Secret | undefined;
  readonly claims: ClaimSources;
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
