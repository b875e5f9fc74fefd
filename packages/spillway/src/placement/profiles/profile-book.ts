import { nameOf, namespaceOf, objectKey, type Pod } from '@spillway/kube';
import { matches, rankOf, type ScheduleProfile } from '../rules/schedule-profile.ts';

/** Of the profiles that match a pod the one that counts, and those that give way to it. */
export interface Matching {
  readonly profile: ScheduleProfile;
  readonly losers: readonly ScheduleProfile[];
}

/** The profiles of all namespaces. */
export class ProfileBook {
  readonly #namespaces = new Map<string, Map<string, ScheduleProfile>>();

  set(profile: ScheduleProfile): void {
    const namespace = namespaceOf(profile);
    let there = this.#namespaces.get(namespace);
    if (there === undefined) this.#namespaces.set(namespace, (there = new Map()));
    there.set(nameOf(profile), profile);
  }

  delete(profile: ScheduleProfile): void {
    const there = this.#namespaces.get(namespaceOf(profile));
    if (there?.get(nameOf(profile)) === undefined) return;
    there.delete(nameOf(profile));
    if (there.size === 0) this.#namespaces.delete(namespaceOf(profile));
  }

  get(namespace: string, name: string): ScheduleProfile | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** By the labels of the pod. More labels win, then the older profile. */
  match(pod: Pod): Matching | undefined {
    const there = this.#namespaces.get(namespaceOf(pod));
    if (there === undefined) return undefined;
    const labels = pod.metadata?.labels;
    const [profile, ...losers] = [...there.values()]
      .filter((each) => matches(each, labels))
      .toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
    return profile === undefined ? undefined : { profile, losers };
  }
}

/** Of two profiles that match a pod, in the words of {@link rankOf}: the first has more labels, or … */
export function whyBetter(winner: ScheduleProfile, loser: ScheduleProfile): string {
  const [more, fewer] = [winner, loser].map(({ spec }) => Object.keys(spec.objectLabels.matchLabels).length);
  if (more !== fewer) return `has more labels (${more}, this one ${fewer})`;
  if (winner.metadata?.creationTimestamp !== loser.metadata?.creationTimestamp)
    return 'has as many labels and is older';
  return 'has as many labels, is as old, and its name comes first';
}

export const profileKey = (profile: ScheduleProfile): string => objectKey(namespaceOf(profile), nameOf(profile));
