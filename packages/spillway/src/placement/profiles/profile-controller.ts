import { randomUUID } from 'node:crypto';
import {
  type EventRecorder,
  isNotFound,
  type KubeClient,
  type Logger,
  nameOf,
  namespaceOf,
  type Pod,
  pods,
  refOf,
  type Store,
  systemClock,
  uidOf,
  WorkQueue,
} from '@spillway/kube';
import { type BurstValue, burstLabelOf, managedByProfileAnnotation, profileGate } from '../../podspec/contract.ts';
import { type AskPools, refusedByAll } from '../../podspec/fit/fit.ts';
import { profileProblem } from '../rules/profile-problem.ts';
import { retryBackoff } from '../retry-backoff.ts';
import { isLimited, matches, type ScheduleProfile, scheduleProfiles } from '../rules/schedule-profile.ts';
import { workThrough } from '../work-through.ts';
import { type Membership, QuotaBook, type Standing } from './quota-book.ts';
import { liftPatch, type Place } from './lift.ts';
import { type Matching, ProfileBook, profileKey, whyBetter } from './profile-book.ts';
import { Settling } from './settling.ts';
import { nextStatus } from './profile-status.ts';
import { nextSide, type Side } from './side.ts';

export interface ProfileControllerOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly pods: Pick<Store<Pod>, 'getByUid' | 'values'>;
  /** Is this the name of a virtual node? */
  readonly isVirtual: (nodeName: string) => boolean;
  /** What the pools say of a pod, apart from how they are at the moment. */
  readonly ask: AskPools;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly observer: ProfileObserver;
  readonly logger: Logger;
}

/** For metrics. */
export interface ProfileObserver {
  readonly profileCounted: (profile: string, counts: Readonly<Record<Standing, number>> | undefined) => void;
}

const lane = 'profiles';
const lifters = 8;
const statusPauseMs = 500;

/**
 * The only counter of the pods of ScheduleProfiles. Whoever has a profile's gate gets a place when there is one; the place
 * is taken here, at once and in order, before the cluster is told, so that there are never two for one place.
 */
export class ProfileController {
  readonly #options: ProfileControllerOptions;
  readonly #book = new ProfileBook();
  readonly #quotas = new QuotaBook();
  /** Loser → names of the profiles that count in its stead. */
  readonly #overrides = new Map<string, Set<string>>();
  /** UIDs of pods whose gate is to be lifted. */
  readonly #lifting = new WorkQueue<string>({ rateLimiter: retryBackoff() });
  /** Keys of profiles whose status is to be looked at. */
  readonly #reporting = new WorkQueue<string>({ rateLimiter: retryBackoff() });
  readonly #settling: Settling;
  #profilesKnown = false;

  constructor(options: ProfileControllerOptions) {
    this.#options = options;
    this.#settling = new Settling({ identity: randomUUID(), onSettled: () => this.#judgeGated() });
  }

  /** The profile that says how many of the pod's kind may be where. */
  profileOf(pod: Pod): ScheduleProfile | undefined {
    const name = pod.metadata?.annotations?.[managedByProfileAnnotation];
    return name === undefined ? undefined : this.#book.get(namespaceOf(pod), name);
  }

  profileSeen(profile: ScheduleProfile): void {
    const problem = profileProblem(profile);
    if (problem !== undefined) {
      this.#options.recorder.record(profile, {
        type: 'Warning',
        reason: 'Invalid',
        message: `The profile is ignored: ${problem}`,
      });
      this.profileGone(profile);
      return;
    }
    const before = this.#book.get(namespaceOf(profile), nameOf(profile));
    this.#book.set(profile);
    this.#reporting.add(profileKey(profile));
    if (before?.metadata?.generation === profile.metadata?.generation) return;
    this.#forgetOverrides(profile);
    this.#judgeNamespace(namespaceOf(profile));
    this.#admit(profileKey(profile));
  }

  profileGone(profile: ScheduleProfile): void {
    const key = profileKey(profile);
    this.#book.delete(profile);
    this.#forgetOverrides(profile);
    this.#options.observer.profileCounted(key, undefined);
    this.#judgeNamespace(namespaceOf(profile));
  }

  /** All profiles were listed: from now on a gated pod without one is nobody's. */
  profilesSynced(): void {
    this.#profilesKnown = true;
    this.#judgeGated();
  }

  podSeen(pod: Pod): void {
    this.#settling.podSeen(pod, isGated(pod));
    const matching = this.#book.match(pod);
    if (matching !== undefined) this.#overrideAll(matching);
    const boundOn = this.#boundOn(pod);
    const member = matching === undefined ? undefined : membership(matching.profile, boundOn);
    this.#freed(this.#quotas.observe(pod, member, boundOn));
    if (member !== undefined) this.#changed(member.profile);
    if (!isGated(pod)) return;
    if (matching === undefined) {
      if (this.#profilesKnown) this.#lifting.add(uidOf(pod));
    } else if (this.#quotas.sideOf(uidOf(pod)) === undefined) this.#give(pod, matching.profile);
    else this.#lifting.add(uidOf(pod));
  }

  podGone(pod: Pod): void {
    this.#settling.podGone(pod);
    this.#freed(this.#quotas.forget(uidOf(pod)));
  }

  /** Resolves when `signal` is aborted and nothing is under way. Start it when all pods are known. */
  async run(signal: AbortSignal): Promise<void> {
    const onError = (error: unknown, key: string): void =>
      this.#options.logger.warn({ err: error, key }, 'ScheduleProfiles: a write failed; trying again');
    this.#settling.begin(Array.from(this.#options.pods.values()).filter(isGated));
    await Promise.all([
      workThrough(this.#settling.queue, lifters, (uid) => this.#settle(uid, signal), onError, signal),
      this.#settling.giveUpLater(systemClock, signal),
      workThrough(this.#lifting, lifters, (uid) => this.#lift(uid, signal), onError, signal),
      workThrough(this.#reporting, 1, (key) => this.#report(key, signal), onError, signal),
    ]);
  }

  #boundOn({ spec }: Pod): Side | undefined {
    const nodeName = spec?.nodeName ?? '';
    if (nodeName === '') return undefined;
    return this.#options.isVirtual(nodeName) ? 'cci' : 'local';
  }

  #judgeGated(): void {
    for (const pod of this.#options.pods.values()) if (isGated(pod)) this.podSeen(pod);
  }

  async #settle(uid: string, signal: AbortSignal): Promise<void> {
    const pod = this.#options.pods.getByUid(uid);
    if (pod === undefined || !isGated(pod)) return;
    const patch = { type: 'merge', body: this.#settling.mark(pod) } as const;
    await this.#options.client.resource(pods).patch(refOf(pod), patch, { lane, signal });
  }

  #judgeNamespace(namespace: string): void {
    for (const pod of this.#options.pods.values()) if (namespaceOf(pod) === namespace) this.podSeen(pod);
  }

  #freed(profile: string | undefined): void {
    if (profile === undefined) return;
    this.#changed(profile);
    this.#admit(profile);
  }

  #changed(profile: string): void {
    this.#reporting.addAfter(profile, statusPauseMs);
  }

  /** Gives the free places of a profile to those who wait, in their order. */
  #admit(key: string): void {
    if (!this.#settling.isSettled) return;
    for (const uid of this.#quotas.waiting(key)) {
      const pod = this.#options.pods.getByUid(uid);
      const profile = pod && this.#book.match(pod)?.profile;
      if (pod === undefined || profile === undefined) continue;
      if (this.#give(pod, profile)) continue;
      // Those behind have the same strategy, if not by labels of their own.
      if (strategyOf(pod, profile) === profile.spec.strategy && !this.#hasPlace(key, profile)) return;
    }
  }

  /** For a pod that may run on both sides. */
  #hasPlace(key: string, { spec }: ScheduleProfile): boolean {
    return nextSide(spec.strategy, spec.location, this.#quotas.counts(key), () => true) !== undefined;
  }

  #give(pod: Pod, profile: ScheduleProfile): boolean {
    if (!this.#settling.isSettled) return false;
    const key = profileKey(profile);
    const side = nextSide(
      strategyOf(pod, profile),
      profile.spec.location,
      this.#quotas.counts(key),
      () => refusedByAll(this.#options.ask(pod)).size === 0,
    );
    if (side === undefined) return false;
    this.#quotas.give(uidOf(pod), key, side);
    this.#lifting.add(uidOf(pod));
    return true;
  }

  async #lift(uid: string, signal: AbortSignal): Promise<void> {
    const pod = this.#options.pods.getByUid(uid);
    if (pod === undefined || !isGated(pod)) return;
    const matching = this.#book.match(pod);
    const side = this.#quotas.sideOf(uid);
    // It waits for a place after all: a profile has come for it, or is about to be seen.
    if (matching !== undefined && side === undefined) return;
    if (matching === undefined && (await this.#hasUnseenProfile(pod, signal))) return;
    const place = matching !== undefined && side !== undefined ? this.#placeOf(pod, matching.profile, side) : undefined;
    const patch = { type: 'strategic', body: liftPatch(pod, place) } as const;
    await this.#options.client.resource(pods).patch(refOf(pod), patch, { lane, signal });
  }

  /** The watch of profiles can be behind that of pods; when it has caught up, the pod is judged again. */
  async #hasUnseenProfile(pod: Pod, signal: AbortSignal): Promise<boolean> {
    const resource = this.#options.client.resource(scheduleProfiles);
    const { items } = await resource
      .list({ namespace: namespaceOf(pod), lane, signal })
      .catch((error: unknown) => (isNotFound(error) ? { items: [] } : Promise.reject(error)));
    return items.some((profile) => profileProblem(profile) === undefined && matches(profile, pod.metadata?.labels));
  }

  #placeOf(pod: Pod, profile: ScheduleProfile, side: Side): Place {
    const strategy = strategyOf(pod, profile);
    // Pods with `enforce` have a scheduler that asks the pools itself.
    const fits = side === 'cci' && strategy !== 'enforce' ? this.#options.ask(pod) : [];
    const closed = fits.flatMap(({ pool, fit }) => (fit.kind === 'refused' ? [pool.nodeName] : []));
    return { profile, side, strategy, closed };
  }

  #overrideAll({ profile, losers }: Matching): void {
    const winner = nameOf(profile);
    for (const loser of losers) {
      const key = profileKey(loser);
      let winners = this.#overrides.get(key);
      if (winners?.has(winner)) continue;
      if (winners === undefined) this.#overrides.set(key, (winners = new Set()));
      winners.add(winner);
      this.#changed(key);
      this.#options.recorder.record(loser, {
        type: 'Warning',
        reason: 'Overridden',
        message: `Profile "${winner}" matches the same pods and ${whyBetter(profile, loser)}; it applies to them, and this profile does not.`,
      });
    }
  }

  #forgetOverrides(profile: ScheduleProfile): void {
    if (this.#overrides.delete(profileKey(profile))) this.#changed(profileKey(profile));
    for (const [loser, winners] of this.#overrides) {
      const [namespace] = loser.split('/');
      if (namespace !== namespaceOf(profile) || !winners.delete(nameOf(profile))) continue;
      if (winners.size === 0) this.#overrides.delete(loser);
      this.#changed(loser);
    }
  }

  async #report(key: string, signal: AbortSignal): Promise<void> {
    const counts = this.#quotas.counts(key);
    const [namespace = '', name = ''] = key.split('/');
    const profile = this.#book.get(namespace, name);
    if (profile === undefined) return;
    this.#options.observer.profileCounted(key, counts);
    const winners = [...(this.#overrides.get(key) ?? [])].toSorted((a, b) => (a < b ? -1 : 1));
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const status = nextStatus(profile, counts, winners, now);
    if (status === undefined) return;
    const patch = { type: 'merge', body: { metadata: { uid: uidOf(profile) }, status } } as const;
    const resource = this.#options.client.resource(scheduleProfiles);
    await resource.patch({ namespace, name }, patch, { subresource: 'status', lane, signal });
  }
}

const membership = (profile: ScheduleProfile, boundOn: Side | undefined): Membership => ({
  profile: profileKey(profile),
  ungated: isLimited(profile) ? 'uncounted' : boundOn,
});

function isGated({ spec }: Pod): boolean {
  return spec?.schedulingGates?.some(({ name }) => name === profileGate) === true;
}

/** The pod's own label beats its profile. */
function strategyOf({ metadata }: Pod, { spec }: ScheduleProfile): BurstValue {
  const label = burstLabelOf(metadata?.labels);
  return label.kind === 'valid' ? label.value : spec.strategy;
}
