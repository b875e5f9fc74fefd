import { checkAdmission } from './admission.ts';
import { checkCceAddOn } from './cce-addon.ts';
import { checkServingCertificates } from './certificates.ts';
import { checkAutoscalers, checkThroughput } from './control-plane.ts';
import { checkLoadBalancers } from './load-balancers.ts';
import { checkNodes, checkVersion } from './nodes.ts';
import { checkNotTaken } from './not-taken.ts';
import { checkDaemonSets, checkStrays } from './pods.ts';
import { checkUnreadable } from './unreadable.ts';
import type { Check, ClusterView, Finding } from './view.ts';
import { checkWorkloads } from './workloads.ts';

const checks: readonly Check[] = [
  checkVersion,
  checkUnreadable,
  checkNodes,
  checkServingCertificates,
  checkAdmission,
  checkWorkloads,
  checkStrays,
  checkNotTaken,
  checkLoadBalancers,
  checkDaemonSets,
  checkAutoscalers,
  checkThroughput,
  checkCceAddOn,
];

const order = { error: 0, warning: 1, info: 2 } as const;

/** Everything that is wrong or surprising, the worst first. */
export function diagnose(view: ClusterView): Finding[] {
  return worstFirst(checks.flatMap((check) => check(view)));
}

export function worstFirst<T extends Pick<Finding, 'severity'>>(findings: readonly T[]): T[] {
  return findings.toSorted((a, b) => order[a.severity] - order[b.severity]);
}
