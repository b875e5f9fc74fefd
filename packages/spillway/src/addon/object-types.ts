import {
  certificateSigningRequests,
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  customResourceDefinitions,
  deployments,
  type KubeObject,
  leases,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  namespaces,
  networkPolicies,
  nodes,
  podDisruptionBudgets,
  type ResourceType,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  services,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
} from '@spillway/kube';

// Kinds of objects with the labels of an installation, in the order in which they are removed.

/** What could hold up the cluster goes first, and what lets it do so before what it does. */
export const admissionTypes: readonly ResourceType<KubeObject>[] = [
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
  mutatingAdmissionPolicyBindings,
  mutatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingAdmissionPolicies,
];

/** The process, and what it reads. */
export const workloadTypes: readonly ResourceType<KubeObject>[] = [
  deployments,
  podDisruptionBudgets,
  networkPolicies,
  configMaps,
  secrets,
  services,
];

export const rightTypes: readonly ResourceType<KubeObject>[] = [
  roleBindings,
  roles,
  clusterRoleBindings,
  clusterRoles,
  serviceAccounts,
];

export const installedTypes: readonly ResourceType<KubeObject>[] = [...admissionTypes, ...workloadTypes, ...rightTypes];

/** Installations share these. */
const sharedTypes: readonly ResourceType<KubeObject>[] = [namespaces, customResourceDefinitions];

/** What the process makes by itself. */
const servedTypes: readonly ResourceType<KubeObject>[] = [leases, nodes, certificateSigningRequests];

/** Of an object of an installation. @throws TypeError when no installation has such an object */
export function typeOf({ apiVersion, kind }: KubeObject): ResourceType<KubeObject> {
  const known = [...installedTypes, ...sharedTypes, ...servedTypes];
  const type = known.find((each) => each.kind === kind && each.apiVersion === apiVersion);
  if (type === undefined) throw new TypeError(`no installation has a ${apiVersion} ${kind}`);
  return type;
}

/** Where an installation has objects of a kind. Empty: they are in no namespace. @param namespace of the installation */
export function namespacesOf(type: ResourceType<KubeObject>, namespace: string): readonly string[] {
  if (!type.namespaced) return [];
  return type === roleBindings ? [namespace, 'kube-system'] : [namespace];
}
