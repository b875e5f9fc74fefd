import {
  type CustomResourceDefinition,
  type Deployment,
  type KubeObject,
  type MutatingWebhookConfiguration,
  nameOf,
  type Node,
  type Pod,
  type StatefulSet,
  type ValidatingWebhookConfiguration,
} from '@spillway/kube';
import { isDeleting, isTerminalPhase } from '../podspec/pod-facts.ts';
import { counted } from '../podspec/words.ts';
import { titleOf } from './marks.ts';

export type Workload = Deployment | StatefulSet;

/** What the vendor's add-on "virtual-kubelet" has in a cluster. */
export interface AddOn {
  readonly deployments: readonly Deployment[];
  readonly webhooks: readonly (MutatingWebhookConfiguration | ValidatingWebhookConfiguration)[];
  readonly nodes: readonly Node[];
  /** Bound to its nodes. */
  readonly pods: readonly Pod[];
  /** Deployments and StatefulSets of the cluster. Empty where there is no node. */
  readonly workloads: readonly Workload[];
  /** That Spillway has not made. */
  readonly definitions: readonly CustomResourceDefinition[];
  /** Of its users. Spillway follows them, too. */
  readonly profiles: readonly KubeObject[];
  /** Of its users. Nothing in Spillway does what they do. */
  readonly extensions: readonly KubeObject[];
}

/** Something of it acts, or would when it is started. What its users have written stays when it goes. */
export const isInstalled = ({ deployments, webhooks, nodes }: AddOn): boolean =>
  deployments.length + webhooks.length + nodes.length > 0;

export const runningOf = ({ pods }: Pick<AddOn, 'pods'>): readonly Pod[] =>
  pods.filter((pod) => !isDeleting(pod) && !isTerminalPhase(pod.status?.phase));

/** For people: what there is of it, one line for each kind. */
export function partsOf(addOn: AddOn): readonly string[] {
  const { deployments, webhooks, nodes, definitions, profiles, extensions } = addOn;
  return [
    ...deployments.map(
      (each) => `${titleOf(each)}: ${each.status?.readyReplicas ?? 0} of ${each.spec?.replicas ?? 1} ready`,
    ),
    ...webhooks.map(titleOf),
    ...nodes.map((node) => {
      const own = runningOf(addOn).filter(({ spec }) => spec?.nodeName === nameOf(node));
      return `${titleOf(node)}: ${counted(own.length, 'pod')}${node.spec?.unschedulable === true ? ', cordoned' : ''}`;
    }),
    ...definitions.map(titleOf),
    ...(profiles.length === 0 ? [] : [`${counted(profiles.length, 'ScheduleProfile')}: Spillway follows them, too`]),
    ...(extensions.length === 0
      ? []
      : [`${counted(extensions.length, 'ExtensionProfile')}: nothing in Spillway does what they do`]),
  ];
}
