import { type Pod, uidOf } from '@spillway/kube';
import type { Instance, InstanceRef } from '../backends/backend.ts';
import { Actor, type ActorHost } from './actor.ts';
import type { ObservedListing } from './instances/instance-observer.ts';
import { isDeleting, isReady, isTerminalPhase } from '../podspec/pod-facts.ts';
import { instanceRef } from './pod-facts.ts';
import type { PodReview } from './intake/pod-review.ts';
import { isRespecified } from './core/respecified.ts';
import type { PodState } from './core/pod-state.ts';
import { boundAtMs, type Timeline } from './timeline.ts';
import {
  instanceGone,
  instanceMissing,
  instanceSeen,
  newOrphan,
  newPod,
  podChanged,
  podGone,
} from './core/transitions.ts';

export interface PodRegistryOptions {
  readonly host: ActorHost;
  /** May the pod run here, and how? */
  readonly review: (pod: Pod) => PodReview;
  /** Is the pod only shown as running? */
  readonly isPlaceholder: (pod: Pod) => boolean;
  /** Have all pods of the node been listed once? */
  readonly podsListed: () => boolean;
  /** Was there a complete listing of the backend? */
  readonly instancesListed: () => boolean;
  /** A pod that came while we watched is Ready for the first time. */
  readonly onReady: (timeline: Timeline) => void;
}

/**
 * Who is looked after: an actor for each pod, and for each instance that has lost its pod; and the instances that nobody
 * looks after. Hands each piece of news to the one that it is about.
 */
export class PodRegistry {
  readonly #options: PodRegistryOptions;
  readonly #actors = new Map<string, Actor>();
  /** Instances that are there and that no actor looks after, by UID. */
  readonly #unowned = new Map<string, Instance>();

  constructor(options: PodRegistryOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#actors.size;
  }

  actors(): Iterable<Actor> {
    return this.#actors.values();
  }

  get(uid: string): Actor | undefined {
    return this.#actors.get(uid);
  }

  apply(uid: string, transition: (state: PodState) => PodState): void {
    this.#actors.get(uid)?.apply(transition);
  }

  unowned(): Iterable<Instance> {
    return this.#unowned.values();
  }

  podSeen(pod: Pod): void {
    const actor = this.#actors.get(uidOf(pod));
    if (actor) this.#podChanged(actor, pod);
    else this.#podAdded(pod);
  }

  podGone(uid: string): void {
    this.apply(uid, podGone);
  }

  instanceSeen(instance: Instance): void {
    const actor = this.#actors.get(instance.ref.uid);
    if (!actor) {
      this.#unowned.set(instance.ref.uid, instance);
      return;
    }
    if (instance.state === 'running') actor.timeline.pass('started', this.#now());
    actor.apply((state) => instanceSeen(state, instance));
  }

  instanceGone({ uid }: InstanceRef): void {
    this.#unowned.delete(uid);
    this.apply(uid, (state) => instanceGone(state, this.#now()));
  }

  /**
   * How many instances that were seen, by this process or by one before it, are missing from a complete listing. Those that
   * were asked to end are expected to.
   */
  absence(listing: ObservedListing): { readonly seen: number; readonly missing: number } {
    let seen = 0;
    let missing = 0;
    for (const [uid, { state }] of this.#actors) {
      if (state.stopped !== undefined || (state.observed.kind !== 'present' && !shouldStillRun(state))) continue;
      seen += 1;
      if (listing.missing(uid)) missing += 1;
    }
    return { seen, missing };
  }

  /** A complete listing of the backend has ended. */
  listed(listing: ObservedListing): void {
    for (const [uid, actor] of this.#actors) {
      if (listing.missing(uid)) actor.apply((state) => instanceMissing(state, listing.startedMs));
    }
    for (const uid of this.#unowned.keys()) if (listing.missing(uid)) this.#unowned.delete(uid);
  }

  /** The pod of this instance is gone for certain. Returns whether an actor has begun to remove the instance. */
  orphanFound({ uid }: InstanceRef): boolean {
    const instance = this.#unowned.get(uid);
    if (!instance || this.#actors.has(uid)) return false;
    this.#unowned.delete(uid);
    this.#actors.set(uid, new Actor(newOrphan(instance, this.#now()), this.#options.host));
    return true;
  }

  delete(uid: string): void {
    this.#actors.delete(uid);
  }

  #podAdded(pod: Pod): void {
    const { host, podsListed, instancesListed } = this.#options;
    const ref = instanceRef(pod);
    const nowMs = this.#now();
    const placeholder = this.#options.isPlaceholder(pod);
    const review = placeholder ? { refusals: [] } : this.#options.review(pod);
    const arrival = { listed: instancesListed(), inherited: !podsListed(), placeholder };
    const actor = new Actor(newPod({ pod, ref, ...review, nowMs }, arrival), host);
    const boundMs = boundAtMs(pod);
    if (boundMs !== undefined) actor.timeline.pass('bound', boundMs);
    actor.timeline.pass('seen', nowMs);
    this.#actors.set(ref.uid, actor);
    const instance = this.#unowned.get(ref.uid);
    if (!instance) return;
    this.#unowned.delete(ref.uid);
    this.instanceSeen(instance);
  }

  #podChanged(actor: Actor, pod: Pod): void {
    const { state, timeline } = actor;
    const nowMs = this.#now();
    const { refusals, sized } = isRespecified(state.pod, pod) && !state.placeholder ? this.#options.review(pod) : state;
    if (isReady(pod) && !timeline.has('ready')) {
      timeline.pass('ready', nowMs);
      if (!state.inherited) this.#options.onReady(timeline);
    }
    actor.apply((known) => podChanged(known, { pod, ref: known.ref, refusals, sized, nowMs }));
  }

  #now(): number {
    return this.#options.host.now();
  }
}

/** A process before this one saw it run, and nobody has asked for its end. */
function shouldStillRun({ pod, inherited, ran, last, observed }: PodState): boolean {
  if (pod === undefined || isDeleting(pod) || isTerminalPhase(pod.status?.phase)) return false;
  return inherited && ran && last === undefined && observed.kind !== 'absent';
}
