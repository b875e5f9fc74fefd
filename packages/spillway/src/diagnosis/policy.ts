import type { Pod } from '@spillway/kube';
import { type PodPolicy, policyOf } from '../placement/binder/pod-policy.ts';
import { burstLabelOf } from '../podspec/contract.ts';

/** What holds for one pod, and where it comes from, also when nobody said anything. */
export type ShownPolicy = PodPolicy | { readonly value: 'invalid'; readonly source: string };

export function shownPolicyOf(pod: Pod): ShownPolicy {
  const label = burstLabelOf(pod.metadata?.labels);
  if (label.kind === 'invalid') return { value: 'invalid', source: `label ${label.label}=${label.text}` };
  return policyOf(pod) ?? { value: 'off', source: 'no label and no matching ScheduleProfile' };
}
