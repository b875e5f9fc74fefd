import type { Pod } from '@spillway/kube';
import { type BurstValue, burstLabelOf, schedulerName } from '../../podspec/contract.ts';

/** May the pod burst, and who said so? */
export interface PodPolicy {
  readonly value: BurstValue;
  /** For people: `label virtual-kubelet.io/burst-to-cci`, `ScheduleProfile web`. */
  readonly source: string;
}

/** What a ScheduleProfile says about the pods that it matches. */
export interface ProfilePolicy {
  readonly name: string;
  readonly strategy: BurstValue;
}

/** The pod's own label beats everything, `off` included; then its ScheduleProfile; then that it names our scheduler. */
export function policyOf(pod: Pod, profile: ProfilePolicy | undefined): PodPolicy | undefined {
  const label = burstLabelOf(pod.metadata?.labels);
  if (label.kind === 'valid') return { value: label.value, source: `label ${label.label}` };
  if (label.kind === 'invalid') return undefined;
  if (profile !== undefined) return { value: profile.strategy, source: `ScheduleProfile ${profile.name}` };
  return pod.spec?.schedulerName === schedulerName ? { value: 'enforce', source: 'schedulerName' } : undefined;
}
