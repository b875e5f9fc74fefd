import type { JsonPatchOperation, Pod } from '@spillway/kube';
import {
  burstLabelOf,
  burstLabels,
  managedByProfileAnnotation,
  nodeTypeLabel,
  profileGate,
  profileRankAnnotation,
} from '../../podspec/contract.ts';
import { keepToNodes, parents } from './actions.ts';
import { holds } from './conditions.ts';
import { add, pointer } from './json-patch.ts';
import { type Condition, eligible } from './rules.ts';
import { isLimited, matches, nodeTypesOf, rankOf, type ScheduleProfile } from './schedule-profile.ts';

/**
 * Pods that a profile may decide for, when they have no label of their own. One that tolerates everything needs one: the
 * guard, which may act before, keeps it away from virtual nodes.
 */
export const profileConditions: readonly Condition[] = [
  ...eligible,
  { type: 'not', condition: { type: 'toleratesEverything' } },
];

/** Greater than every rank. */
export const unranked = '~';

/** Of the profiles of the pod's namespace the one that decides for it. A profile that has decided gives way to a better one. */
export function profileFor(pod: Pod, profiles: readonly ScheduleProfile[]): ScheduleProfile | undefined {
  const subject = { operation: 'CREATE', object: pod } as const;
  if (!profileConditions.every((condition) => holds(condition, subject))) return undefined;
  const { labels, annotations } = pod.metadata ?? {};
  const decided = burstLabelOf(labels).kind === 'absent' ? unranked : (annotations?.[profileRankAnnotation] ?? '');
  return profiles
    .filter((profile) => matches(profile, labels) && rankOf(profile) < decided)
    .toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))[0];
}

/**
 * What keeps a pod to the types of virtual nodes that its profile names, whoever schedules it. Only with `enforce`: others may
 * run on real nodes, which have no type.
 *
 * @param pod as the profile and the rules leave it
 */
export function keepToTypes(pod: Pod, profiles: readonly ScheduleProfile[]): readonly JsonPatchOperation[] {
  const { labels, annotations } = pod.metadata ?? {};
  const label = burstLabelOf(labels);
  const subject = { operation: 'CREATE', object: pod } as const;
  if (!profileConditions.every((condition) => holds(condition, subject))) return [];
  if (label.kind !== 'valid' || label.value !== 'enforce' || !annotations?.[profileRankAnnotation]) return [];
  const name = annotations[managedByProfileAnnotation];
  const profile = profiles.find((each) => each.metadata?.name === name && matches(each, labels));
  const types = profile === undefined ? [] : nodeTypesOf(profile);
  return types.length === 0 ? [] : keepToNodes(pod, nodeTypeLabel, types);
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
    add(pointer(...annotations, managedByProfileAnnotation), profile.metadata?.name ?? ''),
    add(pointer(...annotations, profileRankAnnotation), rankOf(profile)),
    ...(wanted.length === gates.length ? [] : [add(pointer('spec', 'schedulingGates'), wanted)]),
  ];
}
