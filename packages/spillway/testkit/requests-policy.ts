import { eventually } from './eventually.ts';
import type { Kubectl } from './kubectl.ts';

export interface RequestsPolicy {
  readonly name: string;
  readonly namespaceSelector: object;
  /** CEL: what becomes of `object.spec.containers`. */
  readonly containers: string;
  /** A pod that tells whether the policy is at work, by what its container requests then. */
  readonly probe: { readonly namespace: string; readonly resources?: object; readonly cpu: string };
}

/** Changes what new pods request. The API server takes up policies some seconds after they were written: resolves when it has. */
export async function applyRequestsPolicy(
  kubectl: Kubectl,
  { name, namespaceSelector, containers, probe: { namespace, resources, cpu } }: RequestsPolicy,
): Promise<void> {
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
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'main', image: 'none', ...(resources && { resources }) }] },
  };
  const requested = ['-o', 'jsonpath={.spec.containers[0].resources.requests.cpu}'];
  await eventually(`the policy ${name} to be at work`, async () => {
    const text = await kubectl.run(['create', '--dry-run=server', ...requested, '-f', '-'], JSON.stringify(pod));
    return text === cpu;
  });
}
