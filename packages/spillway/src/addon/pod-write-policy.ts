import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, Validation } from '@spillway/kube';
import {
  deletionCostAnnotation,
  managedByProfileAnnotation,
  notBurstableAnnotation,
  profileGate,
  profileSideAnnotation,
} from '../podspec/contract.ts';

export interface PodWritePolicyOptions {
  /** Names of the virtual nodes. */
  readonly nodeNames: readonly string[];
  /** The placement controller runs. */
  readonly placement: boolean;
  /** Whose writes are restricted. */
  readonly username: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What of a pod its updates can change and Spillway never does. */
const fixed = [
  'metadata.labels',
  'metadata.finalizers',
  'metadata.ownerReferences',
  'spec.containers',
  'spec.initContainers',
  'spec.activeDeadlineSeconds',
  'spec.terminationGracePeriodSeconds',
];

/** Fields of scheduling: of a gated pod, which no scheduler looks at yet, and only on the way to lifting our gate. */
const scheduling = ['spec.nodeSelector', 'spec.affinity'];

const annotations = [deletionCostAnnotation, managedByProfileAnnotation, notBurstableAnnotation, profileSideAnnotation];

/**
 * What RBAC cannot say: who may patch pods could change the image of any, and so run whatever it likes. This leaves the
 * tolerations of pods on the virtual nodes; and to placement those of pods without a node, its own annotations, its own
 * gate, and the scheduling fields of a pod that has it.
 */
export function podWritePolicy({
  nodeNames,
  placement,
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
          ...fixed.map((field) => unchanged(field)),
          ...(placement ? placementValidations(nodeNames) : nodeValidations(nodeNames)),
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

function nodeValidations(nodeNames: readonly string[]): Validation[] {
  return [
    {
      expression: `${nodeName} in ${JSON.stringify(nodeNames)}`,
      message: 'Spillway may change pods of its virtual nodes only',
      reason: 'Forbidden',
    },
    ...['metadata.annotations', 'spec.schedulingGates', ...scheduling].map((field) => unchanged(field)),
  ];
}

function placementValidations(nodeNames: readonly string[]): Validation[] {
  const allowed = JSON.stringify(annotations);
  const [now, before] = ['object', 'oldObject'].map(
    (object) => `${optional(object, 'metadata.annotations')}.orValue({})`,
  );
  return [
    unchanged('spec.tolerations', `${nodeName} in ${JSON.stringify(['', ...nodeNames])}`),
    {
      expression:
        `${now}.all(k, k in ${allowed} || (k in ${before} && ${now}[k] == ${before}[k])) && ` +
        `${before}.all(k, k in ${allowed} || k in ${now})`,
      message: 'Spillway may change its own annotations of pods only',
      reason: 'Forbidden',
    },
    {
      expression: `${others('object')} == ${others('oldObject')}`,
      message: 'Spillway may lift its own scheduling gate only',
      reason: 'Forbidden',
    },
    ...scheduling.map((field) => unchanged(field, `${gates('oldObject')}.exists(g, g.name == "${profileGate}")`)),
  ];
}

const gates = (object: string): string => `${optional(object, 'spec.schedulingGates')}.orValue([])`;
const others = (object: string): string => `${gates(object)}.filter(g, g.name != "${profileGate}")`;
const nodeName = 'oldObject.spec.?nodeName.orValue("")';

/** @param unless CEL: the field may change then */
function unchanged(field: string, unless?: string): Validation {
  const same = `${optional('object', field)} == ${optional('oldObject', field)}`;
  return {
    expression: unless === undefined ? same : `${unless} || ${same}`,
    message: `Spillway may not change ${field} of ${unless === undefined ? 'pods' : 'this pod'}`,
    reason: 'Forbidden',
  };
}

/** `spec.a` → `object.spec.?a`: absent on both sides is equal. */
function optional(object: string, field: string): string {
  return `${object}.${field.replace('.', '.?')}`;
}
