import type {
  Namespace,
  ServiceAccount,
  Subject,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@spillway/kube';
import { secretName } from '../admission/authority-secret.ts';
import { configurationNames } from '../admission/configurations.ts';
import { linkAudience } from '@spillway/link-agent';
import { linkSecretName } from '../link/secret-name.ts';
import { labelsOf, productLabels } from '../podspec/installation.ts';
import { coreRule, type Granted, granted, nodeAgentRights, rbacGroup as rbac, type Right } from './grant.ts';
import { podWritePolicies } from './pod-write-policy.ts';

export interface RbacOptions {
  /** Its account has this name, and what it has of its own begins with it. */
  readonly installation: string;
  /** Names of the virtual nodes that this installation serves. */
  readonly nodeNames: readonly string[];
  /** Spillway approves the requests for its own serving certificates. */
  readonly approveServingCertificates: boolean;
  /** The placement controller runs. */
  readonly placement: boolean;
  /** Default: spillway-system. */
  readonly namespace?: string;
  /**
   * Default true. Without it nothing keeps Spillway from changing more of pods than it says; false for Kubernetes before
   * 1.30, which has no admission policies.
   */
  readonly podWritePolicy?: boolean;
  /** The leases with which replicas agree on who is active. Absent: there is one replica. */
  readonly leaderElection?: { readonly namespace: string; readonly leaseNames: readonly string[] };
  /** The admission webhooks are served. `rules`: they carry the rules, and not only advice. */
  readonly admission?: { readonly namespace: string; readonly rules: boolean };
  /** The link server is served, with its authority in this namespace. */
  readonly link?: { readonly namespace: string };
}

export type Manifest =
  | Namespace
  | ServiceAccount
  | Granted
  | ValidatingAdmissionPolicy
  | ValidatingAdmissionPolicyBinding;

/** The controller: what a kubelet may not do. */
function controllerRights({ nodeNames, approveServingCertificates }: RbacOptions): readonly Right[] {
  const approval: readonly Right[] = [
    {
      why: 'approve the requests of the virtual nodes',
      rule: {
        apiGroups: ['certificates.k8s.io'],
        resources: ['certificatesigningrequests/approval'],
        verbs: ['update'],
      },
    },
    {
      why: 'for this signer only',
      rule: {
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames: ['kubernetes.io/kubelet-serving'],
        verbs: ['approve'],
      },
    },
  ];
  return [
    // The name of an object that does not exist yet cannot be restricted.
    { why: 'register the virtual nodes', rule: { apiGroups: [''], resources: ['nodes'], verbs: ['create'] } },
    {
      why: 'keep their labels, taints and provider id',
      rule: {
        apiGroups: [''],
        resources: ['nodes'],
        resourceNames: [...nodeNames],
        verbs: ['get', 'list', 'watch', 'patch'],
      },
    },
    // A rule cannot say which pods, nor what of them: the admission policy does.
    {
      why: 'let pods outlive an outage of Spillway',
      rule: { apiGroups: [''], resources: ['pods'], verbs: ['patch'] },
    },
    {
      why: 'know which cluster this is',
      rule: { apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] },
    },
    ...(approveServingCertificates ? approval : []),
  ];
}

/** The placement controller: which pods burst. Of workloads it reads ReplicaSets and changes none. */
function placementRights(): readonly Right[] {
  const profiles = { apiGroups: ['scheduling.cci.io'] };
  return [
    {
      why: 'see what is to be placed and where, write gates, tolerations and deletion cost, take back what a pool has no room for',
      rule: coreRule(['pods'], 'list', 'watch', 'patch', 'delete'),
    },
    { why: 'bind pods', rule: coreRule(['pods/binding'], 'create') },
    { why: 'say why no pool takes a pod', rule: coreRule(['pods/status'], 'patch') },
    {
      why: 'know whether room is what a pod lacks, and whether a pool can serve its claims',
      rule: coreRule(['nodes', 'persistentvolumeclaims', 'persistentvolumes'], 'list', 'watch'),
    },
    {
      why: 'know where claims get their volumes',
      rule: { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['list', 'watch'] },
    },
    {
      why: 'compare what a scale-in removed with what it should have',
      rule: { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['list', 'watch'] },
    },
    {
      why: 'warn where a load balancer does not go together with the burst pods behind it',
      rule: coreRule(['services'], 'list', 'watch'),
    },
    {
      why: 'know which Services have burst pods',
      rule: { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    },
    {
      why: 'know which Ingresses are in front of them',
      rule: { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['list', 'watch'] },
    },
    { why: 'events on pods, profiles, Services and Ingresses', rule: coreRule(['events'], 'create', 'patch') },
    { why: 'follow the profiles', rule: { ...profiles, resources: ['scheduleprofiles'], verbs: ['list', 'watch'] } },
    { why: 'count their pods', rule: { ...profiles, resources: ['scheduleprofiles/status'], verbs: ['patch'] } },
  ];
}

/** In the namespace of the leases only. */
function leaderElectionRights(leaseNames: readonly string[]): readonly Right[] {
  const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
  return [
    // The name of an object that does not exist yet cannot be restricted.
    { why: 'make the leases of the pools', rule: { ...leases, verbs: ['create'] } },
    {
      why: 'see who is active, become it, and stay it',
      rule: { ...leases, resourceNames: [...leaseNames], verbs: ['get', 'update'] },
    },
  ];
}

function admissionRights(installation: string, rules: boolean): readonly Right[] {
  const { mutating, advisory } = configurationNames(installation);
  const registration = { apiGroups: ['admissionregistration.k8s.io'], verbs: ['get', 'patch'] };
  const touch = { verbs: ['patch'] };
  const stalled: readonly Right[] = [
    {
      why: 'find workloads whose pods could not be created while the webhooks were away',
      rule: { apiGroups: [''], resources: ['events'], verbs: ['list'] },
    },
    {
      why: 'have them try again; the status, because a template cannot be changed through it',
      rule: { ...touch, apiGroups: ['apps'], resources: ['replicasets/status', 'statefulsets/status'] },
    },
    { why: 'the same for Jobs', rule: { ...touch, apiGroups: ['batch'], resources: ['jobs/status'] } },
  ];
  return [
    {
      why: 'tell the API server whom to trust, and which namespaces have ScheduleProfiles',
      rule: {
        ...registration,
        resources: ['mutatingwebhookconfigurations'],
        resourceNames: [mutating],
      },
    },
    {
      why: 'tell the API server whom to trust',
      rule: {
        ...registration,
        resources: ['validatingwebhookconfigurations'],
        resourceNames: [advisory],
      },
    },
    {
      why: 'know the profiles that decide for pods',
      rule: { apiGroups: ['scheduling.cci.io'], resources: ['scheduleprofiles'], verbs: ['list', 'watch'] },
    },
    ...(rules ? stalled : []),
  ];
}

/** The server of the link agents. */
function linkRights(): readonly Right[] {
  return [
    { why: 'tell agents of Services', rule: coreRule(['services'], 'list', 'watch') },
    {
      why: 'and of their endpoints',
      rule: { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    },
    {
      why: 'know whose token an agent shows',
      rule: { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    },
  ];
}

/** The virtual nodes: a node asks for tokens of no other audiences than its pods name, and pods do not name the link. */
const linkTokenRights: readonly Right[] = [
  {
    why: 'get tokens for the link, bound to the pods of the node',
    rule: { apiGroups: [''], resources: [linkAudience], verbs: ['request-serviceaccounts-token-audience'] },
  },
];

/** In the namespace of the Secret only. */
const authorityRights = (secret: string): readonly Right[] => [
  // The name of an object that does not exist yet cannot be restricted.
  { why: 'make the authority', rule: { apiGroups: [''], resources: ['secrets'], verbs: ['create'] } },
  {
    why: 'share it between replicas, and renew it',
    rule: {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: [secret],
      verbs: ['get', 'update'],
    },
  },
];

/** Everything that `spillway serve` may do, and the account that may. In the order in which it can be applied. */
export function rbacManifests(options: RbacOptions): readonly Manifest[] {
  const { installation, nodeNames, placement, namespace = 'spillway-system' } = options;
  const { leaderElection, admission, link } = options;
  const labels = labelsOf(installation);
  const subjects: Subject[] = [{ kind: 'ServiceAccount', name: installation, namespace }];
  const nodes = nodeNames.map((name): Subject => ({ apiGroup: rbac, kind: 'User', name: `system:node:${name}` }));
  const account = { labels, to: subjects };
  const named = (name: string): string => `${installation}-${name}`;
  const username = `system:serviceaccount:${namespace}:${installation}`;
  return [
    // Not of one installation alone.
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { ...productLabels } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: installation, namespace, labels } },
    ...(options.podWritePolicy === false
      ? []
      : podWritePolicies({ installation, nodeNames, placement, username }).flat()),
    ...granted({ ...account, name: named('node-agent'), rights: nodeAgentRights(nodeNames) }),
    ...granted({ ...account, name: named('controller'), rights: controllerRights(options) }),
    ...(placement ? granted({ ...account, name: named('placement'), rights: placementRights() }) : []),
    {
      // The authorities of client certificates, which the kubelet API trusts.
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: `${installation}-authentication-reader`, namespace: 'kube-system', labels },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'extension-apiserver-authentication-reader' },
      subjects,
    },
    ...(leaderElection === undefined
      ? []
      : granted({
          ...account,
          name: named('leader-election'),
          namespace: leaderElection.namespace,
          rights: leaderElectionRights(leaderElection.leaseNames),
        })),
    ...(admission === undefined
      ? []
      : [
          ...granted({
            ...account,
            name: named('admission'),
            rights: admissionRights(installation, admission.rules),
          }),
          ...granted({
            ...account,
            name: named('admission'),
            namespace: admission.namespace,
            rights: authorityRights(secretName(installation)),
          }),
        ]),
    ...(link === undefined
      ? []
      : [
          ...granted({ ...account, name: named('link'), rights: linkRights() }),
          ...granted({ labels, to: nodes, name: named('link-tokens'), rights: linkTokenRights }),
          ...granted({
            ...account,
            name: named('link'),
            namespace: link.namespace,
            rights: authorityRights(linkSecretName(installation)),
          }),
        ]),
  ];
}
