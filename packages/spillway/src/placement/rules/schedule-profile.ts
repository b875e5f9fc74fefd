import type { Condition, KubeObject, ObjectMeta, ResourceType } from '@spillway/kube';
import type { BurstValue } from '../../podspec/contract.ts';

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
  /** Gated pods for which neither side has a free place. */
  waiting?: { pods?: number };
  /** Pods without the gate: admission was bypassed, or the profile is younger than they are. */
  uncounted?: { pods?: number };
  conditions?: Condition[];
}

export const scheduleProfiles: ResourceType<ScheduleProfile> = {
  apiVersion: 'scheduling.cci.io/v2',
  kind: 'ScheduleProfile',
  plural: 'scheduleprofiles',
  namespaced: true,
};

/** More than any profile's labels, so that a rank begins with three digits. */
export const rankBase = 999;

/** The order of profiles that match the same pod, as text: more labels first, then the older, then by name. */
export function rankOf({ metadata, spec }: ScheduleProfile): string {
  const labels = Object.keys(spec.objectLabels.matchLabels).length;
  return `${rankBase - labels} ${metadata?.creationTimestamp ?? ''} ${metadata?.name ?? ''}`;
}

export function matches({ spec }: ScheduleProfile, labels: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(spec.objectLabels.matchLabels).every(([key, value]) => labels?.[key] === value);
}

/** The CCE add-on's name for virtual nodes of any kind. */
export const anyVirtualNode = 'bursting-node';

/** The types of virtual nodes that the profile's pods are kept to; none: any will do. */
export function nodeTypesOf({ spec: { virtualNodes = [] } }: ScheduleProfile): readonly string[] {
  const types = virtualNodes.map(({ type }) => type);
  return types.includes(anyVirtualNode) ? [] : types;
}

/** Whether a limit makes the order of the pods matter. */
export const isLimited = ({ spec: { location } }: ScheduleProfile): boolean =>
  location?.local?.maxNum !== undefined || location?.cci?.maxNum !== undefined;
