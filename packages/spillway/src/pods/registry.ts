import type { Evidence } from '@spillway/kube';
import { isDeleting, isTerminalPhase } from '../podspec/pod-facts.ts';
import type { Instance, InstanceRef } from '../backends/backend.ts';
import type { Actor } from './actor.ts';
import type { PodState } from './core/pod-state.ts';
import { instanceGone, instanceMissing, instanceSeen, podGone, podUnlisted } from './core/transitions.ts';
import type { ObservedListing } from './instances/instance-observer.ts';
import type { Stage } from './timeline.ts';

/**
 * Who is looked after: an actor for each pod, and for each instance that has lost its pod; and the instances that nobody
 * looks after. Hands each piece of news to the one that it is about.
 */
export class Registry {
  readonly #now: () => number;
  readonly #actors = new Map<string, Actor>();
  /** Instances that are there and that no actor looks after, by UID. */
  readonly #unowned = new Map<string, Instance>();

  constructor(now: () => number) {
    this.#now = now;
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

  pass({ uid }: InstanceRef, stage: Stage): void {
    this.#actors.get(uid)?.timeline.pass(stage, this.#now());
  }

  /** It looks after its pod, and after the instance of it that may be there, from now on. */
  add(actor: Actor): void {
    const { uid } = actor.state.ref;
    this.#actors.set(uid, actor);
    const instance = this.takeUnowned(actor.state.ref);
    if (instance) this.instanceSeen(instance);
  }

  delete(uid: string): void {
    this.#actors.delete(uid);
  }

  podGone(uid: string, by: Evidence): void {
    this.apply(uid, by === 'watch' ? podGone : podUnlisted);
  }

  /** @param listedMs See `instanceSeen` of the core. */
  instanceSeen(instance: Instance, listedMs?: number): void {
    const { ref, state } = instance;
    if (!this.#actors.has(ref.uid)) {
      this.#unowned.set(ref.uid, instance);
      return;
    }
    if (state === 'running') this.pass(ref, 'started');
    this.apply(ref.uid, (known) => instanceSeen(known, instance, listedMs));
  }

  instanceGone({ uid }: InstanceRef): void {
    this.#unowned.delete(uid);
    this.apply(uid, (state) => instanceGone(state, this.#now()));
  }

  /** By UID: instances that nobody looks after, and pods whose instances may be without them. */
  leftOver(): Map<string, InstanceRef> {
    const refs = new Map<string, InstanceRef>();
    for (const [uid, { ref }] of this.#unowned) refs.set(uid, ref);
    for (const [uid, { state }] of this.#actors) if (state.gone === 'unlisted') refs.set(uid, state.ref);
    return refs;
  }

  /** Whoever takes it looks after it from now on; undefined: somebody does already, or it is gone. */
  takeUnowned({ uid }: InstanceRef): Instance | undefined {
    const instance = this.#unowned.get(uid);
    this.#unowned.delete(uid);
    return instance;
  }

  /**
   * How many instances that were seen, by this process or by one before it, are missing from a complete listing. Those that
   * were asked to end are expected to.
   */
  absence(listing: Pick<ObservedListing, 'missing'>): { readonly seen: number; readonly missing: number } {
    let seen = 0;
    let missing = 0;
    for (const [uid, { state }] of this.#actors) {
      if (state.stopped !== undefined || (state.observed.kind !== 'present' && !shouldBeThere(state))) continue;
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
}

/** It was seen, by this process or one before it, and nobody has asked for its end; whatever a watch told since. */
function shouldBeThere({ pod, ran, last, observed }: PodState): boolean {
  if (pod === undefined || isDeleting(pod) || isTerminalPhase(pod.status?.phase)) return false;
  return observed.kind !== 'absent' && (last === undefined ? ran : last.state !== 'ended');
}
