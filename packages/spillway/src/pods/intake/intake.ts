import type { NodeSelectorTerm, Pod, Taint } from '@spillway/kube';
import { burstLabelOf } from '../../podspec/contract.ts';
import { type Refusal, refusal } from '../../podspec/review/refusal.ts';
import { isOfDaemonSet } from './placeholder.ts';

/** The virtual node as pods can name it. */
export interface IntakeNode {
  readonly name: string;
  readonly taints: readonly Taint[];
  /** Labels that single out virtual nodes, e.g. `type: virtual-kubelet`. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Why a pod that is bound to the virtual node does not run there although the backend could run it.
 *
 * A pod asks to burst by a label, or in Kubernetes' own terms by naming a taint of the node, the node or its labels. One that
 * came only because it tolerates everything asked for nothing, and would be billed; so would every pod of a
 * DaemonSet. Both stay Pending. A node whose taints keep nobody away is for pods that ask for nothing.
 */
export function intakeRefusals(pod: Pod, node: IntakeNode): readonly Refusal[] {
  if (isOfDaemonSet(pod)) {
    return [refusal('daemonset-pod', 'metadata.ownerReferences')];
  }
  if (!keepsPodsAway(node) || !toleratesEverything(pod) || asksFor(node, pod)) return [];
  return [refusal('did-not-ask', 'spec.tolerations')];
}

/** By its label, or by naming the node, its labels or its taints. */
export function asksFor(node: IntakeNode, pod: Pod): boolean {
  return asksToBurst(pod) || namesNode(pod, node);
}

function keepsPodsAway({ taints }: IntakeNode): boolean {
  return taints.some(({ effect }) => effect !== 'PreferNoSchedule');
}

function toleratesEverything({ spec }: Pod): boolean {
  return (spec?.tolerations ?? []).some(({ key, operator }) => !key && operator === 'Exists');
}

function asksToBurst({ metadata }: Pod): boolean {
  const label = burstLabelOf(metadata?.labels);
  return label.kind === 'valid' && label.value !== 'off';
}

function namesNode(pod: Pod, node: IntakeNode): boolean {
  const { spec } = pod;
  // A pod that no scheduler has bound was created with its node's name.
  if (!pod.status?.conditions?.some(({ type }) => type === 'PodScheduled')) return true;
  if ((spec?.tolerations ?? []).some(({ key }) => node.taints.some((taint) => taint.key === key))) return true;
  const wanted: Readonly<Record<string, string>> = { 'kubernetes.io/hostname': node.name, ...node.labels };
  if (Object.entries(spec?.nodeSelector ?? {}).some(([key, value]) => wanted[key] === value)) return true;
  const affinity = spec?.affinity?.nodeAffinity;
  const terms: readonly NodeSelectorTerm[] = [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ preference }) => preference),
  ];
  return terms.some(
    ({ matchExpressions, matchFields }) =>
      (matchExpressions ?? []).some(
        ({ key, operator, values }) => operator === 'In' && wanted[key] !== undefined && values?.includes(wanted[key]),
      ) ||
      (matchFields ?? []).some(
        ({ key, operator, values }) => operator === 'In' && key === 'metadata.name' && values?.includes(node.name),
      ),
  );
}
