import { type CallOptions, type Clock, type KubeClient, nameOf, type Pod, systemClock } from '@spillway/kube';
import pLimit, { type LimitFunction } from 'p-limit';
import { Sightings } from '../../../podspec/absence/sightings.ts';
import { BackendError, type Owner } from '../../backend.ts';
import { type AnyCopy, type Copies, type CopyKind, type copyNamesOf, namesUsedBy, stepFor } from './copies.ts';
import { type CopyStore, plainStore } from './copy-store.ts';
import type { Dialect } from '../dialect.ts';
import { deleting, syncing } from '../lanes.ts';
import { ownerOf, sourceOf } from '../pods/marks.ts';

export interface CopyKeeperOptions {
  readonly client: KubeClient;
  readonly dialect: Pick<Dialect, 'types' | 'name' | 'claims'>;
  readonly owner: Owner;
  readonly namespace: string;
  /** All of our pods in the other cluster, from the server. */
  readonly pods: (signal: AbortSignal) => Promise<readonly Pod[]>;
  readonly clock?: Clock | undefined;
}

/** Listings that show a copy without pods must be this far apart, and when pods are known to have gone, so far. */
const graceMs = 30_000;
const expectedGraceMs = 2000;

/** One that is there, and how it is taken away. */
export interface EveryCopy {
  readonly kind: string;
  readonly copy: AnyCopy;
  remove(signal: AbortSignal): Promise<void>;
}

/** A new copy that cannot be used yet is waited for so long; then pods wait for it where they run. */
const usableWithinMs = 5000;
const usablePauseMs = 200;

interface Copy {
  readonly store: CopyStore;
  readonly copy: AnyCopy;
}

/** Names that a pod which is being created will use. */
interface Reservation {
  readonly keys: ReadonlySet<string>;
  /** The number of the first listing that has the pod; undefined while it is being created. */
  listedFrom: number | undefined;
}

/**
 * Copies of ConfigMaps, Secrets and storage: made before the first pod that uses them, and removed after the last. Nothing is counted:
 * in use is what the pods of a complete listing refer to, and what pods will that it cannot have yet. One listing proves
 * nothing, nor do two that suddenly show most copies without pods that were not asked to go.
 */
export class CopyKeeper {
  readonly #options: CopyKeeperOptions;
  readonly #stores: ReadonlyMap<CopyKind, CopyStore>;
  readonly #locks = new Map<string, { readonly inTurn: LimitFunction; users: number }>();
  readonly #reservations = new Set<Reservation>();
  readonly #clock: Clock;
  readonly #sightings = new Sightings<Copy>({ graceMs, expectedGraceMs });
  /** Copies of pods that were asked to go, or were never created, with the number of the newest listing of that time. */
  readonly #released = new Map<string, number>();
  #listings = 0;
  /** Those that are still to be concluded from. */
  readonly #open = new Set<number>();
  #tidying: Promise<void> | undefined;
  #again = false;

  constructor(options: CopyKeeperOptions) {
    this.#options = options;
    this.#stores = storesOf(options);
    this.#clock = options.clock ?? systemClock;
  }

  /** Copies are as wanted while `create` runs, and stay until no pod uses them. */
  async with(copies: Copies, create: () => Promise<void>, call: CallOptions): Promise<void> {
    const keys = kinds.flatMap((kind) => copies[kind].map((each) => keyOf(kind, nameOf(each))));
    const reservation: Reservation = { keys: new Set(keys), listedFrom: undefined };
    this.#reservations.add(reservation);
    try {
      await this.bring(copies, call);
      await create();
    } catch (error) {
      this.#release(keys);
      throw error;
    } finally {
      // Whether or not the pod is there: the next listing knows.
      reservation.listedFrom = this.#listings + 1;
      this.#dropReservations();
    }
  }

  /** Makes copies as wanted, except those that came from a newer state of their source. */
  async bring(copies: Partial<Copies>, call: CallOptions): Promise<void> {
    await Promise.all(kinds.flatMap((kind) => (copies[kind] ?? []).map((each) => this.#bring(kind, each, call))));
  }

  /** Removes copies whose source is gone, also while pods use them: a pod does without, as where it comes from. */
  async drop({ configMaps, secrets }: ReturnType<typeof copyNamesOf>, call: CallOptions): Promise<void> {
    await Promise.all([
      ...configMaps.map((name) => this.#drop('configMaps', name, call)),
      ...secrets.map((name) => this.#drop('secrets', name, call)),
    ]);
  }

  /** These pods are asked to go: their copies may be expected to. */
  release(pods: readonly Pod[]): void {
    this.#release(usedBy(pods));
  }

  #release(keys: Iterable<string>): void {
    for (const key of keys) this.#released.set(key, this.#listings);
  }

  /** All of ours, whether or not a pod uses them. */
  async every(signal: AbortSignal): Promise<readonly EveryCopy[]> {
    const { copies, failure } = await this.#all(signal);
    if (failure !== undefined) throw failure.error;
    return Array.from(copies.values(), ({ store, copy }) => ({
      kind: store.kind,
      copy,
      remove: (ending) => store.delete(copy, { signal: ending, lane: deleting }),
    }));
  }

  /** Removes what no pod uses any more. Calls while one is under way end with the one that follows it. */
  async tidy(signal: AbortSignal): Promise<void> {
    this.#again = true;
    this.#tidying ??= this.#tidyUp(signal);
    await this.#tidying;
  }

  async #tidyUp(signal: AbortSignal): Promise<void> {
    try {
      while (this.#again && !signal.aborted) {
        this.#again = false;
        await this.removeUnused(this.#options.pods(signal), signal);
        const { nextDueMs } = this.#sightings;
        if (nextDueMs === undefined) continue;
        const inMs = nextDueMs - this.#clock.now();
        // All else is left to the regular listings.
        if (inMs > expectedGraceMs) continue;
        // The listing that sleeps too little, or began before this one was due, is followed by another.
        await this.#clock.sleep(Math.max(0, inMs), signal);
        this.#again = true;
      }
    } finally {
      this.#tidying = undefined;
    }
  }

  /**
   * Removes what the pods of this listing and of an earlier one do not use. The listing begins with this call: what was
   * created before has its pods in it. Undefined: it has failed.
   */
  async removeUnused(listing: Promise<readonly Pod[] | undefined>, signal: AbortSignal): Promise<void> {
    const startedMs = this.#clock.now();
    this.#listings += 1;
    const number = this.#listings;
    this.#open.add(number);
    try {
      const pods = await listing;
      if (pods === undefined) return;
      const used = usedBy(pods);
      for (const key of usedBy(pods.filter(isStaying))) {
        // A listing from before does not know.
        if (number > (this.#released.get(key) ?? 0)) this.#released.delete(key);
      }
      const { copies, failure } = await this.#all(signal);
      const leftOver = new Map([...copies].filter(([key]) => !used.has(key)));
      const census = { startedMs, leftOver, expected: this.#released, total: copies.size };
      for (const [key, copy] of this.#sightings.observe(census).due) await this.#remove(key, copy, number, signal);
      if (failure !== undefined) throw failure.error;
    } finally {
      this.#open.delete(number);
      this.#dropReservations();
    }
  }

  /** Nothing is said of a kind that cannot be listed: it keeps no others from being removed. */
  async #all(
    signal: AbortSignal,
  ): Promise<{ readonly copies: ReadonlyMap<string, Copy>; readonly failure?: { readonly error: unknown } }> {
    const copies = new Map<string, Copy>();
    let failure: { readonly error: unknown } | undefined;
    for (const [kind, store] of this.#stores) {
      const found = new Map<string, Copy>();
      try {
        for await (const copy of store.all({ signal, lane: syncing }))
          found.set(keyOf(kind, nameOf(copy)), { store, copy });
      } catch (error) {
        failure = { error };
        continue;
      }
      for (const [key, copy] of found) copies.set(key, copy);
    }
    return failure === undefined ? { copies } : { copies, failure };
  }

  async #remove(key: string, { store, copy }: Copy, listing: number, signal: AbortSignal): Promise<void> {
    await this.#locked(key, async () => {
      if (this.#isReserved(key, listing)) return;
      await store.delete(copy, { signal, lane: syncing });
      this.#released.delete(key);
    });
  }

  async #drop(kind: CopyKind, name: string, call: CallOptions): Promise<void> {
    const store = this.#storeOf(kind);
    await this.#locked(keyOf(kind, name), async () => {
      const found = await store.get(name, call);
      if (found !== undefined && sourceOf(found, this.#options.owner) !== undefined) await store.delete(found, call);
    });
  }

  async #bring(kind: CopyKind, wanted: AnyCopy, call: CallOptions): Promise<void> {
    const { dialect, owner, namespace } = this.#options;
    const store = this.#storeOf(kind);
    const name = nameOf(wanted);
    const which = `${dialect.name}: ${store.kind} ${namespace}/${name}`;
    await this.#locked(keyOf(kind, name), async () => {
      const found = await store.get(name, call);
      switch (stepFor(wanted, found, owner)) {
        case 'create':
          await store.create(wanted, call);
          return await this.#untilUsable(store, name, call);
        case 'replace':
          return await store.replace(wanted, found ?? wanted, call);
        case 'ending':
          throw new BackendError('unavailable', `${which} is still being removed`);
        case 'foreign':
          throw new BackendError('conflict', `${which} belongs to ${ownerOf(found ?? {})}`, {
            remedy: 'Give Spillway a namespace of its own.',
          });
        default:
      }
    });
  }

  /** A pod that comes too early is looked at again much later. */
  async #untilUsable(store: CopyStore, name: string, call: CallOptions): Promise<void> {
    if (store.isUsable === undefined) return;
    const deadlineMs = this.#clock.now() + usableWithinMs;
    while (!call.signal?.aborted && this.#clock.now() < deadlineMs) {
      const found = await store.get(name, call);
      if (found !== undefined && store.isUsable(found)) return;
      await this.#clock.sleep(usablePauseMs, call.signal);
    }
  }

  #storeOf(kind: CopyKind): CopyStore {
    const store = this.#stores.get(kind);
    if (store === undefined) throw new TypeError(`there is no place for copies of ${kind}`);
    return store;
  }

  /** For a pod that the listing cannot have. */
  #isReserved(key: string, listing: number): boolean {
    return [...this.#reservations].some(
      ({ keys, listedFrom = Number.POSITIVE_INFINITY }) => listedFrom > listing && keys.has(key),
    );
  }

  #dropReservations(): void {
    const oldest = Math.min(...this.#open);
    for (const each of this.#reservations) {
      if (each.listedFrom !== undefined && each.listedFrom <= oldest) this.#reservations.delete(each);
    }
  }

  /** One piece of work on a copy at a time. */
  async #locked(key: string, work: () => Promise<void>): Promise<void> {
    const lock = this.#locks.get(key) ?? { inTurn: pLimit(1), users: 0 };
    this.#locks.set(key, lock);
    lock.users += 1;
    try {
      await lock.inTurn(work);
    } finally {
      lock.users -= 1;
      if (lock.users === 0) this.#locks.delete(key);
    }
  }
}

function isStaying({ metadata }: Pod): boolean {
  return metadata?.deletionTimestamp === undefined;
}

function usedBy(pods: readonly Pod[]): Set<string> {
  const used = new Set<string>();
  for (const pod of pods) {
    const names = namesUsedBy(pod);
    for (const kind of kinds) for (const name of names[kind]) used.add(keyOf(kind, name));
  }
  return used;
}

function keyOf(kind: CopyKind, name: string): string {
  return `${kind}/${name}`;
}

const kinds: readonly CopyKind[] = ['configMaps', 'secrets', 'claims'];

function storesOf({ client, dialect, owner, namespace }: CopyKeeperOptions): ReadonlyMap<CopyKind, CopyStore> {
  const place = { owner, namespace };
  const claims = dialect.claims.store?.(client, place);
  return new Map<CopyKind, CopyStore>([
    ['configMaps', plainStore(client, dialect.types.configMaps, place)],
    ['secrets', plainStore(client, dialect.types.secrets, place)],
    ...(claims ? [['claims', claims] as const] : []),
  ]);
}
