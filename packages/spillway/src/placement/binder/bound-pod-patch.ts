import { controllerOf, type Pod } from '@spillway/kube';
import { burstPolicyAnnotation, deletionCostAnnotation } from '../../podspec/contract.ts';
import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { withBurstTolerations } from '../profiles/lift.ts';
import { deletionCostToWrite, type Side } from '../profiles/side.ts';
import type { ScheduleProfileSpec } from '../rules/schedule-profile.ts';

/**
 * What a bound pod lacks, as a strategic merge patch of exactly this version of it; undefined: nothing. Deschedulers look for
 * the tolerations of a pod that was let in. A deletion cost that the user set is never touched; it means something for pods
 * of ReplicaSets only, and not before they run: pods that do not are scaled in first anyway.
 */
export function boundPodPatch(pod: Pod, side: Side, location: ScheduleProfileSpec['location']): object | undefined {
  const { metadata, spec, status } = pod;
  if (isDeleting(pod) || isTerminalPhase(status?.phase)) return undefined;
  const tolerations = spec?.tolerations ?? [];
  const wanted =
    side === 'cci' && metadata?.annotations?.[burstPolicyAnnotation] !== undefined
      ? withBurstTolerations(tolerations)
      : tolerations;
  const mayCost = status?.phase === 'Running' && controllerOf(pod)?.kind === 'ReplicaSet';
  const cost = mayCost ? deletionCostToWrite(pod, side, location) : undefined;
  if (wanted.length === tolerations.length && cost === undefined) return undefined;
  return {
    metadata: {
      uid: metadata?.uid,
      resourceVersion: metadata?.resourceVersion,
      ...(cost === undefined ? {} : { annotations: { [deletionCostAnnotation]: cost } }),
    },
    ...(wanted.length === tolerations.length ? {} : { spec: { tolerations: wanted } }),
  };
}
