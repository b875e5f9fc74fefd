import { checkAutoscalers, checkThroughput } from './control-plane.ts';
import { checkLoadBalancers } from './load-balancers.ts';
import { checkNodes, checkVersion } from './nodes.ts';
import { checkNotTaken } from './not-taken.ts';
import { checkDaemonSets, checkStrays } from './pods.ts';
import type { Check, ClusterView, Finding } from './view.ts';
import { checkWorkloads } from './workloads.ts';

const checks: readonly Check[] = [
  checkVersion,
  checkUnreadable,
  checkNodes,
  checkWorkloads,
  checkStrays,
  checkNotTaken,
  checkLoadBalancers,
  checkDaemonSets,
  checkAutoscalers,
  checkThroughput,
];

const order = { error: 0, warning: 1, info: 2 } as const;

/** Everything that is wrong or surprising, the worst first. */
export function diagnose(view: ClusterView): Finding[] {
  return worstFirst(checks.flatMap((check) => check(view)));
}

export function worstFirst<T extends Pick<Finding, 'severity'>>(findings: readonly T[]): T[] {
  return findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
}

function checkUnreadable({ unreadable }: ClusterView): Finding[] {
  return Array.from(unreadable, ([resource, why]) => ({
    code: 'not-allowed-to-look',
    severity: 'info',
    message: `${resource} could not be read, so nothing is said about them: ${why}`,
    remedy: `Ask with an account that may list ${resource} in all namespaces.`,
  }));
}
