import type { DaemonSet, Node, Taint } from '@spillway/kube';
import { intakeRefusals } from '../../pods/intake/intake.ts';
import { isOfDaemonSet } from '../../pods/intake/placeholder.ts';
import { blockedTaint, virtualNodeLabels } from '../../podspec/contract.ts';
import { fitOf } from '../../podspec/fit/fit.ts';
import { untoleratedTaints } from '../../podspec/fit/node-match.ts';
import { isTerminalPhase, statusShowsItRan } from '../../podspec/pod-facts.ts';
import { toldOf } from '../../podspec/review/told.ts';
import { isVirtual } from '../why.ts';
import { type Check, named } from './view.ts';

/** Pods that are on a virtual node and are not run there: they did not ask, or its pool does not run them. */
export const checkStrays: Check = ({ pods, pools }) => {
  const poolOf = new Map(pools.map((pool) => [pool.nodeName, pool]));
  return pods.flatMap((pod) => {
    const pool = poolOf.get(pod.spec?.nodeName ?? '');
    // Those of DaemonSets are told by their DaemonSet.
    if (pool === undefined || isOfDaemonSet(pod) || isTerminalPhase(pod.status?.phase) || statusShowsItRan(pod)) {
      return [];
    }
    const unasked = intakeRefusals(pod, { name: pool.nodeName, taints: pool.taints, labels: virtualNodeLabels });
    const fit = fitOf(pod, pool);
    const reasons = unasked.length > 0 || fit.kind === 'fits' ? unasked : fit.reasons;
    return toldOf(reasons).map(({ places, message, remedy }) => ({
      code: 'pod-not-run' as const,
      severity: 'warning' as const,
      object: named('Pod', pod),
      message: `on ${pool.nodeName} and not run: ${places}: ${message}`,
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
