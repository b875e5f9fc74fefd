import type {
  PodStatus,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from '@spillway/kube';
import {
  burstPolicyAnnotation,
  deletionCostAnnotation,
  managedByProfileAnnotation,
  notBurstableAnnotation,
  profileCounterAnnotation,
  profileGate,
  profileSideAnnotation,
} from '../podspec/contract.ts';
import { labelsOf } from '../podspec/installation.ts';

export interface PodWritePolicyOptions {
  readonly installation: string;
  /** Names of the virtual nodes. */
  readonly nodeNames: readonly string[];
  /** The placement controller runs. */
  readonly placement: boolean;
  /** Whose writes are restricted. */
  readonly username: string;
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

/** All of a status but its conditions. */
const statusFields = Object.keys({
  allocatedResources: true,
  containerStatuses: true,
  ephemeralContainerStatuses: true,
  extendedResourceClaimStatus: true,
  hostIP: true,
  hostIPs: true,
  initContainerStatuses: true,
  message: true,
  nodeAllocatableResourceClaimStatuses: true,
  nominatedNodeName: true,
  observedGeneration: true,
  phase: true,
  podIP: true,
  podIPs: true,
  qosClass: true,
  reason: true,
  resize: true,
  resourceClaimStatuses: true,
  resources: true,
  startTime: true,
  volumeHealth: true,
} satisfies Record<Exclude<keyof PodStatus, 'conditions'>, true>).map((field) => `status.${field}`);

const annotations = [
  deletionCostAnnotation,
  managedByProfileAnnotation,
  notBurstableAnnotation,
  profileCounterAnnotation,
  profileSideAnnotation,
];

type Policy = readonly [ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding];

/**
 * What RBAC cannot say: who may patch pods could change the image of any, and so run whatever it likes. These leave what
 * Spillway does: the tolerations of pods on the virtual nodes; and to placement those of pods without a node, its own
 * annotations, its own gate, and the scheduling fields of a pod that has it. There is one for each way in which the role lets
 * pods be written.
 */
export function podWritePolicies(options: PodWritePolicyOptions): readonly Policy[] {
  const { nodeNames, placement } = options;
  const pods = policy(options, 'pod-writes', 'UPDATE', 'pods', [
    ...fixed.map((field) => unchanged(field)),
    ...(placement ? placementValidations(nodeNames) : nodeValidations(nodeNames)),
  ]);
  if (!placement) return [pods];
  return [
    pods,
    policy(options, 'pod-status-writes', 'UPDATE', 'pods/status', statusValidations(nodeNames)),
    policy(options, 'pod-deletions', 'DELETE', 'pods', deletionValidations(nodeNames)),
    policy(options, 'pod-bindings', 'CREATE', 'pods/binding', bindingValidations(nodeNames)),
  ];
}

function policy(
  { installation, username }: PodWritePolicyOptions,
  shortName: string,
  operation: 'CREATE' | 'UPDATE' | 'DELETE',
  resource: string,
  validations: Validation[],
): Policy {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const name = `${installation}-${shortName}`;
  const metadata = { name, labels: labelsOf(installation) };
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: [operation], resources: [resource] };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [rule] },
        matchConditions: [{ name: 'spillway', expression: `request.userInfo.username == ${JSON.stringify(username)}` }],
        validations,
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name, validationActions: ['Deny'] },
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

/** Why no pool takes a pod without a node, and that a pool's pod is about to be taken back. */
function statusValidations(nodeNames: readonly string[]): Validation[] {
  const own = `${nodeName} == "" ? ["PodScheduled"] : ["DisruptionTarget"]`;
  const rest = (object: string): string =>
    `${optional(object, 'status.conditions')}.orValue([]).filter(c, !(c.type in (${own})))`;
  return [
    {
      expression: `${nodeName} in ${JSON.stringify(['', ...nodeNames])}`,
      message: 'Spillway may write the status of pods without a node and of its virtual nodes only',
      reason: 'Forbidden',
    },
    {
      expression: `${rest('object')} == ${rest('oldObject')}`,
      message: 'Spillway may write only whether a pod is scheduled, and that it is taken back',
      reason: 'Forbidden',
    },
    ...['metadata.labels', 'metadata.annotations', 'metadata.finalizers', ...statusFields].map((field) =>
      unchanged(field),
    ),
  ];
}

/** Nothing that runs, and nothing of other nodes. */
function deletionValidations(nodeNames: readonly string[]): Validation[] {
  return [
    {
      expression: `${nodeName} in ${JSON.stringify(nodeNames)}`,
      message: 'Spillway may delete pods of its virtual nodes only',
      reason: 'Forbidden',
    },
    {
      expression: `${optional('oldObject', 'status.phase')}.orValue("Pending") == "Pending"`,
      message: 'Spillway may delete only pods that have not started',
      reason: 'Forbidden',
    },
  ];
}

/** What a binding has of metadata becomes the pod's. The API server adds where the node is. */
function bindingValidations(nodeNames: readonly string[]): Validation[] {
  return [
    {
      expression: `object.target.name in ${JSON.stringify(nodeNames)}`,
      message: 'Spillway may bind pods to its virtual nodes only',
      reason: 'Forbidden',
    },
    {
      expression: `${optional('object', 'metadata.annotations')}.orValue({}).all(k, k in ${JSON.stringify([deletionCostAnnotation, burstPolicyAnnotation])})`,
      message: 'Spillway may write its own annotations of pods only',
      reason: 'Forbidden',
    },
    {
      expression: `${optional('object', 'metadata.labels')}.orValue({}).all(k, k.startsWith("topology.kubernetes.io/"))`,
      message: 'Spillway may write no labels of pods',
      reason: 'Forbidden',
    },
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
