import {
  type ConfigMap,
  configMaps,
  events,
  type Event,
  type KubeClient,
  type Pod,
  pods,
  type PodSpec,
  type ResourceType,
  type Secret,
  secrets,
} from '@spillway/kube';
import type { ApiError } from '@spillway/kube';
import { connectedSupport, type Interconnect, type Support } from '../../podspec/fit/support.ts';
import type { BackendError, BoundClaim, Capacity, DnsConfig, Owner } from '../backend.ts';
import type { ClaimCopy } from './copies/copies.ts';
import type { CopyStore } from './copies/copy-store.ts';
import { kubernetesSupport } from './fields/pod-fields.ts';

/**
 * How one kind of cluster differs from another. Plain data and pure functions: what runs pods in a namespace never asks which
 * kind it is.
 */
export interface Dialect {
  /** For messages, and for the virtual node's runtime version. */
  readonly name: string;
  readonly types: {
    readonly pods: ResourceType<Pod>;
    readonly configMaps: ResourceType<ConfigMap>;
    readonly secrets: ResourceType<Secret>;
    readonly events: ResourceType<Event>;
  };
  /** Of the API server. Undefined: it is asked. */
  readonly version: string | undefined;
  /** Of all machines there. Undefined: not known. */
  readonly architecture: string | undefined;
  /** What becomes of pods there. */
  readonly support: Support;
  /** What the virtual node offers. Undefined: the namespace's quota, or what the nodes have. */
  readonly capacity: Capacity | undefined;
  /** What can be done with a pod that runs, besides logs and commands. */
  readonly verbs: { readonly attach: boolean; readonly portForward: boolean; readonly ephemeralContainers: boolean };
  /** Why nobody tells what pods use. Undefined: `metrics.k8s.io` does. */
  readonly noMetrics: string | undefined;
  /** Can the API stream lists? A server that does not know them lets the client wait. */
  readonly watchList: boolean;
  /** Does the log API know `sinceTime`? If not, it is asked for `sinceSeconds`. */
  readonly sinceTime: boolean;
  /** Holds a pod that has ended until we have read how, whoever deleted it. Undefined: it is gone when it has ended. */
  readonly finalizer: string | undefined;
  /** What can be changed of a pod that runs, besides labels, annotations and images. */
  readonly changes: { readonly resize: boolean; readonly deadline: boolean };
  /** Do volumes of a running pod follow their ConfigMaps and Secrets? */
  readonly volumeUpdates: boolean;
  /** Do pods there reach the Services of the cluster that they come from? If not, they are not told where its API server is. */
  readonly clusterServices: boolean;
  /** The only pull Secret that pods may name; somebody else fills it. Undefined: copies of the pods' own. */
  readonly pullSecret: string | undefined;
  /** Can a job there end pods, with an account of its own? */
  readonly runsJobs: boolean;
  /** Can a container of a pod write the hosts file of the others? If a pod's fully qualified name is not in it: what people can do. */
  readonly hostsFile: { readonly canBeWritten: boolean; readonly remedy: string };
  /** How pods there have the volumes of claims. */
  readonly claims: ClaimBinding;
  /** More annotations of the other cluster's pod. */
  annotations(pod: Pod, owner: Owner): Readonly<Record<string, string>>;
  dns(config: DnsConfig | undefined): Pick<PodSpec, 'dnsPolicy' | 'dnsConfig'>;
  /** What people can do about what an event says, as far as it is known. */
  remedyOf(message: string): string | undefined;
  /** What an answer means that only this API gives. Undefined: nothing special. */
  errorOf(error: ApiError): BackendError | undefined;
}

export interface ClaimBinding {
  /** What a claim of the cluster is there. Undefined: nothing, and pods with such a claim are refused. */
  mountOf(claim: BoundClaim, owner: Owner): ClaimMount | undefined;
  /** Where copies are made. Absent: none are. */
  store?(client: KubeClient, place: { readonly owner: Owner; readonly namespace: string }): CopyStore<ClaimCopy>;
}

export interface ClaimMount {
  readonly claimName: string;
  /** The folder of it that is mounted; empty: all of it. */
  readonly folder: string;
  /** What has to be there, without its namespace. Absent: others see to that. */
  readonly copy?: ClaimCopy;
}

/** Where pods reach the Services of their cluster. With an agent each pod says so itself. */
export function connectedDialect(dialect: Dialect, interconnect: Interconnect): Dialect {
  return {
    ...dialect,
    support: connectedSupport(dialect.support, interconnect),
    clusterServices: dialect.clusterServices || interconnect === 'route',
  };
}

export const kubernetesDialect: Dialect = {
  name: 'kubernetes',
  types: { pods, configMaps, secrets, events },
  version: undefined,
  architecture: undefined,
  support: kubernetesSupport,
  capacity: undefined,
  verbs: { attach: true, portForward: true, ephemeralContainers: true },
  noMetrics: undefined,
  watchList: true,
  sinceTime: true,
  finalizer: 'spillway.dev/status-read',
  changes: { resize: true, deadline: true },
  volumeUpdates: true,
  clusterServices: false,
  pullSecret: undefined,
  runsJobs: true,
  hostsFile: { canBeWritten: true, remedy: 'Set hostsImage of the pool to an image with a shell' },
  claims: { mountOf: () => undefined },
  annotations: () => ({}),
  dns: explicitDns,
  remedyOf: () => undefined,
  errorOf: () => undefined,
};

/** The addresses of the cluster that the pod comes from; a pod without any gets the resolver of the other cluster's node. */
export function explicitDns(config: DnsConfig | undefined): Pick<PodSpec, 'dnsPolicy' | 'dnsConfig'> {
  const { servers = [], searches = [], options = [] } = config ?? {};
  return {
    dnsPolicy: servers.length > 0 ? 'None' : 'Default',
    dnsConfig: {
      ...(servers.length > 0 && { nameservers: [...servers] }),
      ...(searches.length > 0 && { searches: [...searches] }),
      ...(options.length > 0 && { options: options.map(optionOf) }),
    },
  };
}

function optionOf(option: string): { name: string; value?: string } {
  const colon = option.indexOf(':');
  return colon === -1 ? { name: option } : { name: option.slice(0, colon), value: option.slice(colon + 1) };
}
