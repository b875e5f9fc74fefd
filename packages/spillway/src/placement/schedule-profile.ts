import type { Condition, JsonPatchOperation, KubeObject, ObjectMeta, Pod, ResourceType } from '@spillway/kube';
import {
  burstLabelOf,
  burstLabels,
  type BurstValue,
  managedByProfile,
  profileGate,
  profileRank,
} from '../podspec/contract.ts';
import { parents } from './actions.ts';
import { holds } from './conditions.ts';
import { add, pointer } from './json-patch.ts';
import { type Condition as RuleCondition, eligible } from './rules.ts';

/** `scheduling.cci.io/v2`, as the CCE add-on has it. Its schema: `schedule-profile-crd.ts`. */
export interface ScheduleProfile extends KubeObject {
  metadata?: ObjectMeta;
  spec: ScheduleProfileSpec;
  status?: ScheduleProfileStatus;
}

export interface ScheduleProfileSpec {
  objectLabels: { matchLabels: Record<string, string> };
  strategy: Exclude<BurstValue, 'off'>;
  virtualNodes?: { type: string }[];
  location?: { local?: ProfileLocation; cci?: ProfileLocation };
}

export interface ProfileLocation {
  /** How many of the pods may be there. */
  maxNum?: number;
  /** Pods of the place with the higher number are scaled in first. */
  scaleDownPriority?: number;
}

export interface ScheduleProfileStatus {
  observedGeneration?: number;
  local?: { pods?: number };
  cci?: { pods?: number };
  conditions?: Condition[];
}

export const scheduleProfiles: ResourceType<ScheduleProfile> = {
  apiVersion: 'scheduling.cci.io/v2',
  kind: 'ScheduleProfile',
  plural: 'scheduleprofiles',
  namespaced: true,
};

/**
 * Pods that a profile may decide for, when they have no label of their own. One that tolerates everything needs one: the
 * guard, which may act before, keeps it away from virtual nodes.
 */
export const profileConditions: readonly RuleCondition[] = [
  ...eligible,
  { type: 'not', condition: { type: 'toleratesEverything' } },
];

/** The order of profiles that match the same pod, as text: more labels first, then the older, then by name. */
function rankOf({ metadata, spec }: ScheduleProfile): string {
  const labels = Object.keys(spec.objectLabels.matchLabels).length;
  return `${rankBase - labels} ${metadata?.creationTimestamp ?? ''} ${metadata?.name ?? ''}`;
}

/** More than any profile's labels, so that the rank begins with three digits. */
export const rankBase = 999;
/** Greater than every rank. */
export const unranked = '~';

function matches({ spec }: ScheduleProfile, labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(spec.objectLabels.matchLabels).every(([key, value]) => labels?.[key] === value);
}

/** Whether a limit makes the order of the pods matter. */
const isLimited = ({ spec: { location } }: ScheduleProfile): boolean =>
  location?.local?.maxNum !== undefined || location?.cci?.maxNum !== undefined;

/** Of the profiles of the pod's namespace the one that decides for it. A profile that has decided gives way to a better one. */
export function profileFor(pod: Pod, profiles: readonly ScheduleProfile[]): ScheduleProfile | undefined {
  const subject = { operation: 'CREATE', object: pod } as const;
  if (!profileConditions.every((condition) => holds(condition, subject))) return undefined;
  const { labels, annotations } = pod.metadata ?? {};
  const decided = burstLabelOf(labels).kind === 'absent' ? unranked : (annotations?.[profileRank] ?? '');
  return profiles
    .filter((profile) => matches(profile, labels) && rankOf(profile) < decided)
    .toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))[0];
}

/** Gives a pod the label that its profile stands for, and a gate when the profile limits the number of pods. */
export function adopt(pod: Pod, profile: ScheduleProfile): readonly JsonPatchOperation[] {
  const annotations = ['metadata', 'annotations'];
  const labels = ['metadata', 'labels'];
  const gates = pod.spec?.schedulingGates ?? [];
  const others = gates.filter(({ name }) => name !== profileGate);
  const wanted = isLimited(profile) ? [...others, { name: profileGate }] : others;
  return [
    ...parents(pod, labels),
    add(pointer(...labels, burstLabels[0]), profile.spec.strategy),
    ...parents(pod, annotations),
    add(pointer(...annotations, managedByProfile), profile.metadata?.name ?? ''),
    add(pointer(...annotations, profileRank), rankOf(profile)),
    ...(wanted.length === gates.length ? [] : [add(pointer('spec', 'schedulingGates'), wanted)]),
  ];
}
