import type { Pod } from '@spillway/kube';
import { type BurstValue, burstLabelOf, burstScheduler, managedByProfileAnnotation } from '../../podspec/contract.ts';

/** May the pod burst, and who said so? */
export interface PodPolicy {
  readonly value: BurstValue;
  /** For people: `label virtual-kubelet.io/burst-to-cci`, `ScheduleProfile web`. */
  readonly source: string;
}

/**
 * As the pod's own label says: admission copies to it what its workload or its ScheduleProfile says. A pod without one that
 * names our scheduler has asked as well.
 */
export function policyOf({ metadata, spec }: Pod): PodPolicy | undefined {
  const label = burstLabelOf(metadata?.labels);
  if (label.kind === 'valid') {
    const profile = metadata?.annotations?.[managedByProfileAnnotation];
    return {
      value: label.value,
      source: profile === undefined ? `label ${label.label}` : `ScheduleProfile ${profile}`,
    };
  }
  if (label.kind === 'invalid' || spec?.schedulerName !== burstScheduler) return undefined;
  return { value: 'enforce', source: 'schedulerName' };
}
