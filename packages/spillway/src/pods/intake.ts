import { controllerOf, type NodeSelectorTerm, type Pod } from '@spillway/kube';
import type { Refusal } from '../backends/backend.ts';
import { burstLabelOf } from '../podspec/contract.ts';
import { statusShowsItRan } from '../podspec/pod-facts.ts';

/** The virtual node as pods can name it. */
export interface IntakeNode {
  readonly name: string;
  /** Keys of the taints that keep pods away which did not ask to burst. */
  readonly taintKeys: readonly string[];
  /** Labels that single out virtual nodes, e.g. `type: virtual-kubelet`. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Why a pod that is bound to the virtual node does not run there although the backend could run it.
 *
 * A pod asks to burst by a label, or in Kubernetes' own terms by naming our taint, the node or its labels. One that
 * came only because it tolerates everything asked for nothing, and would be billed; so would every pod of a
 * DaemonSet. Both stay Pending. A pod that ran here already is not judged again.
 */
export function intakeRefusals(pod: Pod, node: IntakeNode): readonly Refusal[] {
  if (statusShowsItRan(pod)) return [];
  if (controllerOf(pod)?.kind === 'DaemonSet') {
    return [
      {
        code: 'daemonset-pod',
        field: 'metadata.ownerReferences',
        message: 'pods of a DaemonSet are not run on a virtual node',
        remedy: `Exclude nodes with the label type=virtual-kubelet in the DaemonSet's node affinity.`,
      },
    ];
  }
  if (!toleratesEverything(pod) || asksToBurst(pod) || namesNode(pod, node)) return [];
  return [
    {
      code: 'did-not-ask',
      field: 'spec.tolerations',
      message: 'the pod came here only because it tolerates every taint; it did not ask to burst',
      remedy: `To run it here, label it virtual-kubelet.io/burst-to-cci=enforce; to keep it away, exclude nodes with the label type=virtual-kubelet in its node affinity.`,
    },
  ];
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
  if ((spec?.tolerations ?? []).some(({ key }) => key !== undefined && node.taintKeys.includes(key))) return true;
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
