// Names that users, other controllers and the CCE add-on know. They never change.

/** On a workload or a pod: may it burst? The first of them that is there counts. */
const burstLabels = ['virtual-kubelet.io/burst-to-cci', 'bursting.cci.io/burst-to-cci'] as const;

export const burstValues = ['auto', 'localPrefer', 'enforce', 'off'] as const;
export type BurstValue = (typeof burstValues)[number];

/** Nothing lands on a virtual node that was not let in. */
export const burstTaint = { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' } as const;
/** The scheduler prefers real nodes. */
export const preferTaint = { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' } as const;
/** While the pool takes no new pods. Nobody tolerates it. */
export const blockedTaint = { key: 'bursting.cci.io/no-schedule', effect: 'NoSchedule' } as const;

/** The label of every virtual node, by which pods ask for one or keep away. */
export const virtualNodeType = { key: 'type', value: 'virtual-kubelet' } as const;

/** Labels that single out virtual nodes. */
export const virtualNodeLabels: Readonly<Record<string, string>> = {
  [virtualNodeType.key]: virtualNodeType.value,
  'bursting.cci.io/node-type': 'virtual-kubelet',
};

/** Binds the pods that name it in `schedulerName`. */
export const schedulerName = 'spillway';

/** What users, other controllers and the CCE add-on read on pods. */
export const podAnnotations = {
  /** Of two pods of a ReplicaSet the one that costs less is deleted first. */
  deletionCost: 'controller.kubernetes.io/pod-deletion-cost',
  /** Why the pod may burst: value and source. */
  burstPolicy: 'spillway.dev/burst-policy',
  /** Why it stays on the nodes of the cluster although it may burst. */
  notBurstable: 'spillway.dev/not-burstable',
  /** Name of the ScheduleProfile that the pod belongs to. */
  profile: 'scheduling.cci.io/managed-by-profile',
  /** Which side the ScheduleProfile gave it: `local` or `cci`. */
  profileSide: 'spillway.dev/profile-side',
} as const;

/** Deletion cost of burst pods, unless somebody says otherwise: they go before others. */
export const burstDeletionCost = -100;

/** Scheduling gate of pods whose ScheduleProfile limits how many there are on a side. */
export const profileGate = 'spillway.dev/schedule-profile';

/** Waiting reasons of containers for which a pool has no room now. */
export const noRoomReasons = { soldOut: 'SoldOut', quota: 'QuotaExceeded' } as const;

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
