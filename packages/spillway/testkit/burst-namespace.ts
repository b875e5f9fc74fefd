import type { Cluster } from '@spillway/devcluster';
import type { PolicyRule } from '@spillway/kube';
import { Kubectl } from './kubectl.ts';
import { applyRequestsPolicy, type RequestsPolicy } from './requests-policy.ts';

/** Of the other cluster: where a pool of the `kubernetes` backend runs its pods. */
export const burstNamespace = 'burst';

/** The least that docs/backend-kubernetes.md says a kubeconfig must allow, when the namespace and the capacity are given. */
const rights: readonly PolicyRule[] = [
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['pods/resize', 'pods/ephemeralcontainers'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['configmaps', 'secrets'],
    verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'],
  },
  { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['resourcequotas'], verbs: ['list'] },
  { apiGroups: ['metrics.k8s.io'], resources: ['pods'], verbs: ['list'] },
];

const spillway = { name: 'spillway', namespace: burstNamespace };

/** Makes the namespace, and returns the path of a kubeconfig that may do there what Spillway needs and nothing else. */
export async function prepareBurstNamespace(there: Cluster): Promise<string> {
  const kubectl = new Kubectl(there);
  await kubectl.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: burstNamespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: spillway },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: spillway, rules: rights },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: spillway,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: spillway.name },
      subjects: [{ kind: 'ServiceAccount', ...spillway }],
    },
  );
  await applyRequestsPolicy(kubectl, overcommitment);
  return there.kubeconfigFor({ serviceAccount: spillway });
}

/** A node of this machine's size holds as many pods as the kubelet takes: it counts requests, the kernel keeps to the limits. */
const overcommitment: RequestsPolicy = {
  name: 'overcommit',
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': burstNamespace } },
  containers:
    'object.spec.containers.map(c, Object.spec.containers{name: c.name, resources: Object.spec.containers.resources{requests: {"cpu": "0", "memory": "0"}}})',
  probe: { namespace: burstNamespace, resources: { requests: { cpu: '1' } }, cpu: '0' },
};
