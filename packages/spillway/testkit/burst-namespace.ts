import type { Cluster } from '@spillway/devcluster';
import type { PolicyRule } from '@spillway/kube';
import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';

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
    ...overcommitment,
  );
  await overcommits(kubectl);
  return there.kubeconfigFor({ serviceAccount: spillway });
}

const containers =
  'object.spec.containers.map(c, Object.spec.containers{name: c.name, resources: Object.spec.containers.resources{requests: {"cpu": "0", "memory": "0"}}})';
const name = 'overcommit';

/** A node of this machine's size holds as many pods as the kubelet takes: it counts requests, the kernel keeps to the limits. */
const overcommitment: readonly object[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': burstNamespace } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: `Object{spec: Object.spec{containers: ${containers}}}` },
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  },
];

/** The API server takes up policies some seconds after they were written. */
async function overcommits(kubectl: Kubectl): Promise<void> {
  const resources = { requests: { cpu: '1' } };
  const probe = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: burstNamespace },
    spec: { containers: [{ name: 'main', image: 'none', resources }] },
  };
  const requested = ['-o', 'jsonpath={.spec.containers[0].resources.requests.cpu}'];
  await eventually('the other cluster to overcommit its node', async () => {
    const text = await kubectl.run(['create', '--dry-run=server', ...requested, '-f', '-'], JSON.stringify(probe));
    return text === '0';
  });
}
