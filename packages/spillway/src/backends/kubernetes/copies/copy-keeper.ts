import {
  type CallOptions,
  type Clock,
  type ConfigMap,
  isAlreadyExists,
  isConflict,
  isNotFound,
  type KubeClient,
  nameOf,
  type Pod,
  type ResourceType,
  resourceVersionOf,
  type Secret,
  systemClock,
  uidOf,
} from '@spillway/kube';
import pLimit, { type LimitFunction } from 'p-limit';
import { Sightings } from '../../../podspec/absence/sightings.ts';
import { BackendError, type Owner } from '../../backend.ts';
import { type Copies, type copyNamesOf, namesUsedBy, stepFor } from './copies.ts';
import type { Dialect } from '../dialect.ts';
import { syncing } from '../lanes.ts';
import { copySelector, ownerOf, sourceOf } from '../pods/marks.ts';

export interface CopyKeeperOptions {
  readonly client: KubeClient;
  readonly dialect: Pick<Dialect, 'types' | 'name'>;
  readonly owner: Owner;
  readonly namespace: string;
  /** All of our pods in the other cluster, from the server. */
  readonly pods: (signal: AbortSignal) => Promise<readonly Pod[]>;
  readonly clock?: Clock | undefined;
}

type Kind = 'configMaps' | 'secrets';

/** Listings that show a copy without pods must be this far apart, and when pods are known to have gone, so far. */
const graceMs = 30_000;
const expectedGraceMs = 2000;

interface Copy {
  readonly type: ResourceType<ConfigMap | Secret>;
  readonly copy: ConfigMap | Secret;
}

/** Names that a pod which is being created will use. */
interface Reservation {
  readonly keys: ReadonlySet<string>;
  /** The number of the first listing that has the pod; undefined while it is being created. */
  listedFrom: number | undefined;
}

/**
 * Copies of ConfigMaps and Secrets: made before the first pod that uses them, and removed after the last. Nothing is counted:
 * in use is what the pods of a complete listing refer to, and what pods will that it cannot have yet. One listing proves
 * nothing, nor do two that suddenly show most copies without pods that were not asked to go.
 */
export class CopyKeeper {
  readonly #options: CopyKeeperOptions;
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
    this.#clock = options.clock ?? systemClock;
  }

  /** Copies are as wanted while `create` runs, and stay until no pod uses them. */
  async with(copies: Copies, create: () => Promise<void>, call: CallOptions): Promise<void> {
    const keys = [
      ...copies.configMaps.map((each) => keyOf('configMaps', nameOf(each))),
      ...copies.secrets.map((each) => keyOf('secrets', nameOf(each))),
    ];
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
  async bring({ configMaps, secrets }: Copies, call: CallOptions): Promise<void> {
    const { types } = this.#options.dialect;
    await Promise.all([
      ...configMaps.map((each) => this.#bring('configMaps', types.configMaps, each, call)),
      ...secrets.map((each) => this.#bring('secrets', types.secrets, each, call)),
    ]);
  }

  /** Removes copies whose source is gone, also while pods use them: a pod does without, as where it comes from. */
  async drop({ configMaps, secrets }: ReturnType<typeof copyNamesOf>, call: CallOptions): Promise<void> {
    const { types } = this.#options.dialect;
    await Promise.all([
      ...configMaps.map((name) => this.#drop('configMaps', types.configMaps, name, call)),
      ...secrets.map((name) => this.#drop('secrets', types.secrets, name, call)),
    ]);
  }

  /** These pods are asked to go: their copies may be expected to. */
  release(pods: readonly Pod[]): void {
    this.#release(usedBy(pods));
  }

  #release(keys: Iterable<string>): void {
    for (const key of keys) this.#released.set(key, this.#listings);
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
      const copies = await this.#all(signal);
      const leftOver = new Map([...copies].filter(([key]) => !used.has(key)));
      const census = { startedMs, leftOver, expected: this.#released, total: copies.size };
      for (const [key, copy] of this.#sightings.observe(census).due) await this.#remove(key, copy, number, signal);
    } finally {
      this.#open.delete(number);
      this.#dropReservations();
    }
  }

  async #all(signal: AbortSignal): Promise<Map<string, Copy>> {
    const { client, owner, namespace, dialect } = this.#options;
    const copies = new Map<string, Copy>();
    const collect = async (kind: Kind, type: ResourceType<ConfigMap | Secret>): Promise<void> => {
      const call = { signal, lane: syncing, namespace, labelSelector: copySelector(owner) };
      for await (const page of client.resource(type).pages(call)) {
        for (const copy of page.items) copies.set(keyOf(kind, nameOf(copy)), { type, copy });
      }
    };
    await collect('configMaps', dialect.types.configMaps);
    await collect('secrets', dialect.types.secrets);
    return copies;
  }

  async #remove(key: string, { type, copy }: Copy, listing: number, signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    await this.#locked(key, async () => {
      if (this.#isReserved(key, listing)) return;
      const call = { signal, lane: syncing, preconditions: { uid: uidOf(copy) } };
      await client
        .resource(type)
        .delete({ namespace, name: nameOf(copy) }, call)
        .catch(unlessGone);
      this.#released.delete(key);
    });
  }

  async #drop<T extends ConfigMap | Secret>(
    kind: Kind,
    type: ResourceType<T>,
    name: string,
    call: CallOptions,
  ): Promise<void> {
    const { client, owner, namespace } = this.#options;
    const resource = client.resource(type);
    await this.#locked(keyOf(kind, name), async () => {
      const found = await resource.get({ namespace, name }, call).catch(undefinedIfMissing);
      if (found === undefined || sourceOf(found, owner) === undefined) return;
      await resource.delete({ namespace, name }, { ...call, preconditions: { uid: uidOf(found) } }).catch(unlessGone);
    });
  }

  async #bring<T extends ConfigMap | Secret>(
    kind: Kind,
    type: ResourceType<T>,
    wanted: T,
    call: CallOptions,
  ): Promise<void> {
    const { client, dialect, owner, namespace } = this.#options;
    const resource = client.resource(type);
    const name = nameOf(wanted);
    await this.#locked(keyOf(kind, name), async () => {
      const found = await resource.get({ namespace, name }, call).catch(undefinedIfMissing);
      const step = stepFor(wanted, found, owner);
      if (step === 'foreign') {
        const whose = ownerOf(found ?? {});
        throw new BackendError('conflict', `${dialect.name}: ${type.kind} ${namespace}/${name} belongs to ${whose}`, {
          remedy: 'Give Spillway a namespace of its own.',
        });
      }
      if (step === 'create') await resource.create(wanted, call).catch(unlessThere);
      if (step === 'replace') {
        const metadata = { ...wanted.metadata, resourceVersion: resourceVersionOf(found ?? {}) };
        await resource.replace({ ...wanted, metadata }, call);
      }
    });
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
    const { configMaps, secrets } = namesUsedBy(pod);
    for (const name of configMaps) used.add(keyOf('configMaps', name));
    for (const name of secrets) used.add(keyOf('secrets', name));
  }
  return used;
}

function keyOf(kind: Kind, name: string): string {
  return `${kind}/${name}`;
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

function unlessGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}

/** Made by the call whose answer was lost. */
function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
