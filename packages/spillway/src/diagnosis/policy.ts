import type { Pod } from '@spillway/kube';
import { burstLabelOf, type BurstValue, managedByProfileAnnotation } from '../podspec/contract.ts';

/** What holds for one pod, and where it comes from. */
export interface PodPolicy {
  readonly value: BurstValue | 'invalid';
  /** In words: `label virtual-kubelet.io/burst-to-cci=auto`. */
  readonly source: string;
}

/** Workloads' labels and profiles are written into their pods' labels at admission, so the pod says it all. */
export function policyOf({ metadata }: Pod): PodPolicy {
  const found = burstLabelOf(metadata?.labels);
  if (found.kind === 'absent') return { value: 'off', source: 'no label and no matching ScheduleProfile' };
  if (found.kind === 'invalid') return { value: 'invalid', source: `label ${found.label}=${found.text}` };
  const profile = metadata?.annotations?.[managedByProfileAnnotation];
  return {
    value: found.value,
    source: profile === undefined ? `label ${found.label}=${found.value}` : `ScheduleProfile ${profile}`,
  };
}
