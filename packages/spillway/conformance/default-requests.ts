import type { Cluster } from '@spillway/devcluster';
import { eventually } from '../testkit/eventually.ts';
import { Kubectl } from '../testkit/kubectl.ts';

const name = 'default-requests';
const requests = '{"cpu": "250m", "memory": "512Mi"}';
/** Tests make theirs. */
const namespaceSelector = {
  matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
};

const containers = [
  'object.spec.containers.map(c, has(c.resources) && has(c.resources.requests) && "cpu" in c.resources.requests',
  '? Object.spec.containers{name: c.name}',
  `: Object.spec.containers{name: c.name, resources: Object.spec.containers.resources{requests: ${requests}}})`,
].join(' ');

/** Where pods are sold by size, each has to say one. What a LimitRange is for users, who know their namespaces, this is for the tests. */
export async function giveDefaultRequests(cluster: Cluster): Promise<void> {
  const kubectl = new Kubectl(cluster);
  await kubectl.apply(
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        matchConstraints: {
          namespaceSelector,
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
  );
  await eventually('pods to get requests', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'none' }] },
    };
    const requested = ['-o', 'jsonpath={.spec.containers[0].resources.requests.cpu}'];
    const text = await kubectl.run(['create', '--dry-run=server', ...requested, '-f', '-'], JSON.stringify(pod));
    return text === '250m';
  });
}
