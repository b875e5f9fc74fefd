import type { DaemonSet, Node, Taint } from '@spillway/kube';
import { intakeRefusals } from '../../pods/intake/intake.ts';
import { isOfDaemonSet } from '../../pods/intake/placeholder.ts';
import { blockedTaint, virtualNodeLabels } from '../../podspec/contract.ts';
import { untoleratedTaints } from '../../placement/binder/node-match.ts';
import { isVirtual } from '../why.ts';
import { type Check, named } from './view.ts';

/** Pods that came to a virtual node without asking, and are not run there. */
export const checkStrays: Check = ({ pods, nodes }) => {
  const virtual = new Map(nodes.filter(isVirtual).map((node) => [node.metadata?.name, node]));
  return pods.flatMap((pod) => {
    const name = pod.spec?.nodeName ?? '';
    // Those of DaemonSets are told by their DaemonSet.
    const node = virtual.get(name);
    if (node === undefined || isOfDaemonSet(pod)) return [];
    const taints = taintsOf(node);
    return intakeRefusals(pod, { name, taints, labels: virtualNodeLabels }).map(({ message, remedy }) => ({
      code: 'pod-not-run' as const,
      severity: 'warning' as const,
      object: named('Pod', pod),
      message: `on ${name} and not run: ${message}`,
      remedy,
    }));
  });
};

/** DaemonSets whose pods reach virtual nodes, where nothing is run for them. */
export const checkDaemonSets: Check = ({ daemonSets, nodes }) => {
  const virtual = nodes.filter(isVirtual);
  return daemonSets
    .filter((each) => virtual.some((node) => reaches(each, node)))
    .map((daemonSet) => ({
      code: 'daemonset-on-virtual-nodes' as const,
      severity: 'info' as const,
      object: named('DaemonSet', daemonSet),
      message: 'its pods reach virtual nodes, where nothing is run for them',
      remedy: exclusionOf(daemonSet),
    }));
};

function reaches({ spec }: DaemonSet, node: Node): boolean {
  const { tolerations = [], nodeSelector, affinity } = spec?.template.spec ?? {};
  if (untoleratedTaints(tolerations, taintsOf(node)).length > 0) return false;
  if (Object.keys(nodeSelector ?? {}).some((key) => !key.startsWith('kubernetes.io/'))) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return !terms.some(({ matchExpressions = [] }) =>
    matchExpressions.some(
      ({ key, operator, values }) =>
        (operator === 'NotIn' && values?.some((value) => virtualNodeLabels[key] === value)) ||
        (operator === 'DoesNotExist' && key in virtualNodeLabels),
    ),
  );
}

/** Without the one of a pool that takes no pods for the time being. */
function taintsOf({ spec }: Node): readonly Taint[] {
  return (spec?.taints ?? []).filter(({ key }) => key !== blockedTaint.key);
}

function exclusionOf({ metadata }: DaemonSet): string {
  const term = { matchExpressions: [{ key: 'type', operator: 'NotIn', values: ['virtual-kubelet'] }] };
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
  const patch = { spec: { template: { spec: { affinity: { nodeAffinity } } } } };
  return `kubectl -n ${metadata?.namespace ?? ''} patch daemonset ${metadata?.name ?? ''} -p '${JSON.stringify(patch)}'`;
}
