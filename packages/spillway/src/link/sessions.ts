import type { Session } from './session.ts';

/** Who follows what: a change reaches those whom it concerns, and costs the others nothing. */
export class Sessions {
  readonly #followers = new Map<string, Set<Session>>();
  /** One for each pod, by its UID. */
  readonly #byPod = new Map<string, Session>();

  get size(): number {
    return this.#byPod.size;
  }

  get all(): Iterable<Session> {
    return this.#byPod.values();
  }

  /** Services that are followed, each once. */
  get followed(): number {
    return this.#followers.size;
  }

  /** @returns the session that the pod had before: an agent has one stream */
  add(podUid: string, session: Session): Session | undefined {
    const former = this.#byPod.get(podUid);
    this.#byPod.set(podUid, session);
    return former;
  }

  remove(podUid: string, session: Session): void {
    if (this.#byPod.get(podUid) === session) this.#byPod.delete(podUid);
    for (const key of session.followed) this.unfollow(key, session);
  }

  follow(key: string, session: Session): void {
    const followers = this.#followers.get(key) ?? new Set();
    this.#followers.set(key, followers.add(session));
  }

  unfollow(key: string, session: Session): void {
    const followers = this.#followers.get(key);
    followers?.delete(session);
    if (followers?.size === 0) this.#followers.delete(key);
  }

  changed(key: string): void {
    for (const session of this.#followers.get(key) ?? []) session.changed(key);
  }
}
