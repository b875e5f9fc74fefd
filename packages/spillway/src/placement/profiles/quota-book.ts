import { namespaceOf, objectKey, type Pod, uidOf } from '@spillway/kube';
import { managedByProfileAnnotation, profileGate, profileSideAnnotation } from '../../podspec/contract.ts';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { Side, SideCounts } from './side.ts';

/** What a pod is to its profile; `uncounted`: never gated, so no limit was kept for it. */
export type Standing = 'waiting' | 'uncounted' | Side;

interface Entry {
  /** `namespace/name` of the profile. */
  readonly profile: string;
  readonly standing: Standing;
}

/** The profile that matches a pod by its labels. */
export interface Membership {
  /** `namespace/name` of the profile. */
  readonly profile: string;
  /** What the pod is to it if it was never gated; undefined: nothing yet. */
  readonly ungated: Standing | undefined;
}

/** How many pods of a profile are what. */
export type Counts = Readonly<Record<Standing, number>>;

const none: Counts = { waiting: 0, uncounted: 0, local: 0, cci: 0 };

/**
 * Who has which place. A pod that was given a side holds its place until it has ended or its object is gone: one that is
 * being deleted still runs. So there are never more on a side than its limit. Every change costs the same, however many
 * pods there are.
 */
export class QuotaBook {
  readonly #entries = new Map<string, Entry>();
  readonly #counts = new Map<string, Record<Standing, number>>();
  readonly #waiting = new Map<string, Set<string>>();
  /** Sides that we gave and that the watch has not shown yet. */
  readonly #given = new Map<string, Entry>();

  /**
   * As the watch shows the pod. Where it is bound counts, whatever place it was given.
   *
   * @returns the profile in which a place may have become free
   */
  observe(pod: Pod, member: Membership | undefined, boundOn: Side | undefined): string | undefined {
    const uid = uidOf(pod);
    if (isTerminalPhase(pod.status?.phase)) return this.forget(uid);
    return this.#put(uid, this.#entryOf(pod, uid, member, boundOn));
  }

  /** The pod is gone. @returns the profile in which a place may have become free */
  forget(uid: string): string | undefined {
    this.#given.delete(uid);
    return this.#put(uid, undefined);
  }

  /**
   * From now on the pod has a place on this side, whatever becomes of the attempts to tell the cluster: also while the watch
   * still shows it gated.
   */
  give(uid: string, profile: string, side: Side): void {
    const entry: Entry = { profile, standing: side };
    this.#given.set(uid, entry);
    this.#put(uid, entry);
  }

  sideOf(uid: string): Side | undefined {
    const standing = this.#entries.get(uid)?.standing;
    return standing === 'local' || standing === 'cci' ? standing : undefined;
  }

  counts(profile: string): Counts & SideCounts {
    return this.#counts.get(profile) ?? none;
  }

  /** UIDs of the pods that wait for a place, the first comer first. */
  waiting(profile: string): Iterable<string> {
    return this.#waiting.get(profile) ?? [];
  }

  #entryOf(pod: Pod, uid: string, member: Membership | undefined, boundOn: Side | undefined): Entry | undefined {
    const { annotations } = pod.metadata ?? {};
    const gated = pod.spec?.schedulingGates?.some(({ name }) => name === profileGate) === true;
    const given = this.#given.get(uid);
    if (gated) return given ?? (member && { profile: member.profile, standing: 'waiting' });
    this.#given.delete(uid);
    const side = annotations?.[profileSideAnnotation];
    const name = annotations?.[managedByProfileAnnotation];
    if (name !== undefined && (side === 'local' || side === 'cci')) {
      return { profile: objectKey(namespaceOf(pod), name), standing: boundOn ?? side };
    }
    return member?.ungated && { profile: member.profile, standing: member.ungated };
  }

  #put(uid: string, entry: Entry | undefined): string | undefined {
    const before = this.#entries.get(uid);
    if (before?.profile === entry?.profile && before?.standing === entry?.standing) return undefined;
    if (before !== undefined) this.#count(before, -1, uid);
    if (entry === undefined) this.#entries.delete(uid);
    else {
      this.#entries.set(uid, entry);
      this.#count(entry, 1, uid);
    }
    return before?.profile;
  }

  #count({ profile, standing }: Entry, by: 1 | -1, uid: string): void {
    let counts = this.#counts.get(profile);
    if (counts === undefined) this.#counts.set(profile, (counts = { ...none }));
    counts[standing] += by;
    if (standing !== 'waiting') return;
    let waiting = this.#waiting.get(profile);
    if (waiting === undefined) this.#waiting.set(profile, (waiting = new Set()));
    if (by === 1) waiting.add(uid);
    else waiting.delete(uid);
  }
}
