import { controllerOf, type Pod } from '@spillway/kube';
import { policyOf } from '../../placement/binder/pod-policy.ts';
import { fitOf, type PoolFit, refusedByAll } from '../../podspec/fit/fit.ts';
import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { Resources } from '../../podspec/resources.ts';
import type { Reason } from '../../podspec/review/refusal.ts';
import { toldOf } from '../../podspec/review/told.ts';
import { counted } from '../../podspec/words.ts';
import { roomOf } from '../room.ts';
import { type Check, type ClusterView, type Finding, named } from './view.ts';

/** Pods that may burst and that no pool takes, told once for each controller and reason. */
export const checkNotTaken: Check = (view) => {
  const ask = askerOf(view);
  const onPools = new Set(view.pools.map(({ nodeName }) => nodeName));
  const told = new Map<string, { readonly finding: Finding; pods: number }>();
  for (const pod of view.pods) {
    if (!mayBurst(pod) || onPools.has(pod.spec?.nodeName ?? '')) continue;
    for (const [pool, reasons] of reasonsFor(pod, ask(pod))) {
      for (const { places, message, remedy } of toldOf(reasons)) {
        const finding = findingOf(pod, `pool ${pool}: ${places}: ${message}`, remedy);
        const key = `${finding.object} ${finding.message}`;
        told.set(key, { finding, pods: (told.get(key)?.pods ?? 0) + 1 });
      }
    }
  }
  return Array.from(told.values(), ({ finding, pods }) => {
    return { ...finding, message: `no pool takes ${counted(pods, 'pod')} that may burst: ${finding.message}` };
  });
};

function askerOf({ pools, nodes, pods }: ClusterView): (pod: Pod) => readonly PoolFit[] {
  const room = roomOf(nodes, pods);
  const nodeOf = new Map(nodes.map((node) => [node.metadata?.name, node]));
  return (pod) =>
    pools.map((pool) => {
      const shortage = (amounts: Resources): string | undefined => room.shortage(pool.nodeName, amounts);
      return { pool, fit: fitOf(pod, pool, { node: nodeOf.get(pool.nodeName), shortage }) };
    });
}

function mayBurst(pod: Pod): boolean {
  const policy = policyOf(pod)?.value ?? 'off';
  return policy !== 'off' && !isDeleting(pod) && !isTerminalPhase(pod.status?.phase);
}

/** What keeps pods from pools only now is told of those that wait for a node, and a pool that takes none is told by itself. */
function reasonsFor(pod: Pod, fits: readonly PoolFit[]): ReadonlyMap<string, readonly Reason[]> {
  const waits = pod.status?.conditions?.some(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  if (waits !== true) return refusedByAll(fits);
  const reasons = new Map<string, readonly Reason[]>();
  for (const { pool, fit } of fits) {
    if (fit.kind === 'fits' || fit.kind === 'blocked') return new Map();
    reasons.set(pool.name, fit.reasons);
  }
  return reasons;
}

function findingOf(pod: Pod, message: string, remedy: string): Finding {
  const { kind = 'Pod', name = pod.metadata?.name ?? '' } = controllerOf(pod) ?? {};
  const { namespace = '' } = pod.metadata ?? {};
  return {
    code: 'pod-not-taken',
    severity: 'warning',
    object: named(kind, { metadata: { namespace, name } }),
    message,
    remedy,
  };
}
