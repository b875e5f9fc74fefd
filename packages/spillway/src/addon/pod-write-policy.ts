import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '@spillway/kube';

export interface PodWritePolicyOptions {
  /** Names of the virtual nodes. */
  readonly nodeNames: readonly string[];
  /** Whose writes are restricted. */
  readonly username: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What of a pod its updates can change, but for the tolerations. */
const fixed = [
  'metadata.labels',
  'metadata.annotations',
  'metadata.finalizers',
  'metadata.ownerReferences',
  'spec.containers',
  'spec.initContainers',
  'spec.activeDeadlineSeconds',
  'spec.terminationGracePeriodSeconds',
  'spec.schedulingGates',
  'spec.nodeSelector',
  'spec.affinity',
] as const;

/**
 * What RBAC cannot say: who may patch pods could change the image of any, and so run whatever it likes. This leaves the
 * tolerations of pods on the virtual nodes.
 */
export function podWritePolicy({
  nodeNames,
  username,
  labels,
}: PodWritePolicyOptions): readonly [ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name: 'spillway-pod-writes', labels };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods'] }],
        },
        matchConditions: [{ name: 'spillway', expression: `request.userInfo.username == ${JSON.stringify(username)}` }],
        validations: [
          {
            expression: `oldObject.spec.?nodeName.orValue("") in ${JSON.stringify(nodeNames)}`,
            message: 'Spillway may change pods of its virtual nodes only',
            reason: 'Forbidden',
          },
          ...fixed.map((field) => ({
            expression: `${optional('object', field)} == ${optional('oldObject', field)}`,
            message: `Spillway may not change ${field} of pods`,
            reason: 'Forbidden',
          })),
        ],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    },
  ];
}

/** `spec.a` → `object.spec.?a`: absent on both sides is equal. */
function optional(object: string, field: (typeof fixed)[number]): string {
  return `${object}.${field.replace('.', '.?')}`;
}
