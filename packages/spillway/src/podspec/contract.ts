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

/** The label of every virtual node, by which pods ask for one or keep away. */
export const virtualNodeType = { key: 'type', value: 'virtual-kubelet' } as const;

/** Labels that single out virtual nodes. */
export const virtualNodeLabels: Readonly<Record<string, string>> = {
  [virtualNodeType.key]: virtualNodeType.value,
  'bursting.cci.io/node-type': 'virtual-kubelet',
};

/** The scheduler of pods that may run on virtual nodes only. */
export const burstScheduler = 'spillway';

/** On a workload: the value that admission copied to the labels of its pod template. */
export const burstLabelCopied = 'spillway.dev/burst-label-copied';
/** On a pod: it may be bound to a virtual node once real nodes have no room. */
export const preferLocal = 'spillway.dev/prefer-local';

/** On a pod: the ScheduleProfile that decides for it. */
export const managedByProfile = 'scheduling.cci.io/managed-by-profile';
/** On a pod: how well that profile matches it; of two profiles the lesser rank wins. */
export const profileRank = 'spillway.dev/profile-rank';
/** Scheduling gate of pods whose profile limits their number. */
export const profileGate = 'spillway.dev/schedule-profile';

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
