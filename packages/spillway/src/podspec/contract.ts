// Names that users, other controllers and the CCE add-on know. They never change.

/** On a workload or a pod: may it burst? The first of them that is there counts. */
export const burstLabels = ['virtual-kubelet.io/burst-to-cci', 'bursting.cci.io/burst-to-cci'] as const;

export const burstValues = ['auto', 'localPrefer', 'enforce', 'off'] as const;
export type BurstValue = (typeof burstValues)[number];

/** Nothing lands on a virtual node that was not let in. */
export const burstTaint = { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' } as const;
/** The scheduler prefers real nodes. */
export const preferTaint = { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' } as const;
/** While the pool takes no new pods. Nobody tolerates it. */
export const blockedTaint = { key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' } as const;

/** On a pod that runs on a virtual node: what it is billed as, e.g. `0.5u` and `1Gi`. */
export const sizeAnnotationNames = {
  cpu: 'virtual-kubelet.cci.io/burst-pod-cpu',
  memory: 'virtual-kubelet.cci.io/burst-pod-memory',
} as const;

/** On a virtual node: the name of the rule set by which its pods are sized. */
export const sizingAnnotation = 'spillway.dev/sizing';

/** On a virtual node: what kind of backend runs its pods, e.g. `cci-v1`. */
export const backendAnnotation = 'spillway.dev/backend';

/** On a virtual node: the only claims that its backend mounts, as `NAMESPACE/NAME`. Missing: it depends on their storage. */
export const claimsAnnotation = 'spillway.dev/claims';

/** In that annotation: they are too many to be listed. */
export const manyClaims = '*';

/** The label of every virtual node, by which pods ask for one or keep away. */
export const virtualNodeType = { key: 'type', value: 'virtual-kubelet' } as const;

/** Which kind of virtual node it is. */
export const nodeTypeLabel = 'bursting.cci.io/node-type';

/** Labels that single out virtual nodes. */
export const virtualNodeLabels: Readonly<Record<string, string>> = {
  [virtualNodeType.key]: virtualNodeType.value,
  [nodeTypeLabel]: 'virtual-kubelet',
};

/** The scheduler of pods that may run on virtual nodes only. */
export const burstScheduler = 'spillway';
/** On a pod that was let in: value and source of its burst policy. */
export const burstPolicyAnnotation = 'spillway.dev/burst-policy';
/** On a pod that may burst and cannot: why it stays on the nodes of the cluster. */
export const notBurstableAnnotation = 'spillway.dev/not-burstable';

/** On a pod: of two pods of a ReplicaSet the one with the lower cost is deleted first. Kubernetes' own. */
export const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
/** Deletion cost of burst pods, unless the user or a profile says otherwise. */
export const burstDeletionCost = -100;

/** Scheduling gate of pods whose profile limits their number. */
export const profileGate = 'spillway.dev/schedule-profile';
/** On a pod whose gate was lifted: the side that its profile's limits gave it, `local` or `cci`. */
export const profileSideAnnotation = 'spillway.dev/profile-side';

/** On a gated pod: which process counts it now. What another one still had on its way to the pod does not fit its version any more. */
export const profileCounterAnnotation = 'spillway.dev/profile-counter';

/** Waiting reasons of containers for which a pool has no room now. */
export const noRoomReasons = { soldOut: 'SoldOut', quota: 'QuotaExceeded' } as const;

/** Waiting reason of containers, and reason of events, where a pool does not run the pod as it is. */
export const notSupportedReason = 'NotSupportedByPool';

/** On a workload: the value that admission copied to the labels of its pod template. */
export const burstLabelCopiedAnnotation = 'spillway.dev/burst-label-copied';
/** On a pod: it may be bound to a virtual node once real nodes have no room. */
export const preferLocalAnnotation = 'spillway.dev/prefer-local';

/** On a pod: the ScheduleProfile that decides for it. */
export const managedByProfileAnnotation = 'scheduling.cci.io/managed-by-profile';
/** On a pod: how well that profile matches it; of two profiles the lesser rank wins. */
export const profileRankAnnotation = 'spillway.dev/profile-rank';

/** On a pod of a DaemonSet that is shown as running and for which nothing runs. */
export const placeholderAnnotation = 'spillway.dev/placeholder';

/** What the burst label says; `invalid`: none of the values that there are. */
export type BurstLabel =
  | { readonly kind: 'absent' }
  | { readonly kind: 'valid'; readonly label: string; readonly value: BurstValue }
  | { readonly kind: 'invalid'; readonly label: string; readonly text: string };

export function burstLabelOf(labels: Readonly<Record<string, string>> | undefined): BurstLabel {
  const label = burstLabels.find((name) => labels?.[name] !== undefined);
  if (label === undefined) return { kind: 'absent' };
  const text = labels?.[label] ?? '';
  const value = burstValues.find((known) => known === text);
  return value === undefined ? { kind: 'invalid', label, text } : { kind: 'valid', label, value };
}
