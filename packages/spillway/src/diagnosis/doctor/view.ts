import type {
  CertificateSigningRequest,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Ingress,
  Job,
  KubeObject,
  Lease,
  Node,
  Pod,
  Service,
  MutatingAdmissionPolicy,
  StatefulSet,
  ValidatingAdmissionPolicy,
} from '@spillway/kube';

import type { Pool } from '../../podspec/fit/fit.ts';

/** What was read in the cluster for `spillway doctor`. A list that may not be read is empty and named in `unreadable`. */
export interface ClusterView {
  readonly nowMs: number;
  /** E.g. `v1.36.3`. */
  readonly serverVersion: string;
  readonly nodes: readonly Node[];
  /** Leases of nodes. */
  readonly leases: readonly Lease[];
  readonly deployments: readonly Deployment[];
  readonly statefulSets: readonly StatefulSet[];
  readonly jobs: readonly Job[];
  readonly daemonSets: readonly DaemonSet[];
  /** Of the virtual nodes, of kube-system, and those that may burst. */
  readonly pods: readonly Pod[];
  /** As the virtual nodes show them. */
  readonly pools: readonly Pool[];
  readonly services: readonly Service[];
  readonly ingresses: readonly Ingress[];
  readonly endpointSlices: readonly EndpointSlice[];
  readonly signingRequests: readonly CertificateSigningRequest[];
  /** UID of the kube-system namespace; undefined: it may not be read. */
  readonly clusterUid: string | undefined;
  readonly admission: AdmissionView;
  /** What the API server did not answer, each with why. */
  readonly unreadable: ReadonlyMap<string, unknown>;
}

/** Spillway's part in the admission of the cluster. */
export interface AdmissionView {
  /** Policies that refuse or change what is created: those that carry Spillway's labels. */
  readonly policies: readonly (ValidatingAdmissionPolicy | MutatingAdmissionPolicy)[];
  /** Names of the webhook configurations with Spillway's labels that change what is created. */
  readonly webhooks: readonly string[];
  /** What became of a pod that has to burst, in a dry run; undefined: it was not asked, or not answered. */
  readonly probe: { readonly pod: Pod } | { readonly refusal: string } | undefined;
}

/** What there is to find; docs/doctor.md has a section for each. */
export const findingCodes = [
  'kubernetes-too-old',
  'no-virtual-node',
  'node-not-served',
  'node-not-ready',
  'backend-unreachable',
  'backend-not-prepared',
  'pool-blocked',
  'node-cordoned',
  'unknown-burst-value',
  'label-without-effect',
  'pod-not-run',
  'pod-not-taken',
  'health-check-port',
  'shared-listener',
  'serving-certificate-missing',
  'admission-not-in-force',
  'policy-mistake',
  'heartbeat-late',
  'not-allowed-to-look',
  'metrics-missing',
  'hibernates',
  'daemonset-on-virtual-nodes',
  'autoscaler-counts-virtual-nodes',
  'slow-control-plane',
  'admission-not-installed',
  'cce-add-on',
] as const;

export type FindingCode = (typeof findingCodes)[number];

/** Something that is wrong or surprising, and what to do about it. */
export interface Finding {
  readonly code: FindingCode;
  /** `error`: pods cannot burst; `warning`: something does not do what its owner expects; `info`: worth knowing. */
  readonly severity: 'error' | 'warning' | 'info';
  /** `Deployment shop/web`; missing when it is about the cluster. */
  readonly object?: string;
  readonly message: string;
  /** A sentence, or the command that helps. */
  readonly remedy: string;
}

export type Check = (view: ClusterView) => readonly Finding[];

export function named(kind: string, { metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata ?? {};
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
