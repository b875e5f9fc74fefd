import { type Clock, systemClock } from '../clock.ts';
import { TransportError } from '../errors.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { KubeObject, ResourceType } from '../resource-type.ts';
import { withoutManagedFields } from '../resources/object-json.ts';
import type { KubeClient } from '../transport/client.ts';
import type { LaneName } from '../transport/lanes.ts';
import { type Change, type Evidence, observe, observeAll, observeDeletion } from './history.ts';
import { Reflector } from './reflector.ts';
import { Sharing } from './sharing.ts';
import { IndexedStore, type IndexFunction, type Store } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly type: ResourceType<T>;
  /** Default: all namespaces */
  readonly namespace?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Called once for each object that comes in, without `metadata.managedFields`, before it is stored or delivered. Does not change it. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  /** Of informers that know the same objects, or such as are alike. Default: its own */
  readonly sharing?: Sharing<T> | undefined;
  readonly lane?: LaneName | undefined;
  /** Default: 500 */
  readonly pageSize?: number | undefined;
  /** Default: true. Start with a streamed list (WatchList) where the server can. */
  readonly watchList?: boolean | undefined;
  /**
   * At the end of a watch, after 5 to 10 minutes, everything is listed again if the last list is older. Bounds for how long it is not
   * noticed that the server tells another history than before: etcd was restored while nobody watched. Default: watches go on for ever
   */
  readonly relistMs?: number | undefined;
  /**
   * Asked before each list and each watch and before what they bring is believed: is the server still the one of the cluster that it
   * was? What another one has is not taken over. Default: yes.
   */
  readonly confirmCluster?: ((signal: AbortSignal) => Promise<boolean>) | undefined;
  readonly logger?: Logger | undefined;
  /** Every failed list or watch; the informer goes on by itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

/** Called synchronously, in the order of the cluster's history. An exception is logged and changes nothing. */
export interface InformerHandlers<T> {
  /** By `watch`: it did not match before. By `list`: nothing is known of how long it has been there. */
  added?(object: T, by: Evidence): void;
  changed?(old: T, object: T): void;
  /** With the last known state: also for objects that a new list lacks, which is weaker evidence than a watched deletion. */
  deleted?(object: T, by: Evidence): void;
  /** Once, after all objects of the first complete list were delivered as added */
  synced?(): void;
  /** After each complete list, also when it has shown nothing new: what is known is as new as it. */
  listed?(): void;
}

/**
 * A copy of a collection that repairs itself. A name that comes back with another UID is deleted and added, never
 * changed. Between two lists some states of an object may be missed, its last one never.
 */
export class Informer<T extends KubeObject> {
  readonly store: Store<T>;
  /** Resolves after the first complete list; rejects when the informer is stopped before. */
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions<T>;
  readonly #logger: Logger;
  readonly #store: IndexedStore<T>;
  readonly #sharing: Sharing<T>;
  /** Replaced, never changed: who subscribes during a delivery has seen that object already. */
  #handlers: readonly InformerHandlers<T>[] = [];
  readonly #firstList = Promise.withResolvers<void>();
  #hasSynced = false;
  #started = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#store = new IndexedStore(options.indexes);
    this.store = this.#store;
    this.#sharing = options.sharing ?? new Sharing();
    this.synced = this.#firstList.promise;
    // Nobody has to wait for it.
    this.synced.catch(() => undefined);
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** What is already known is delivered as added at once. */
  subscribe(handlers: InformerHandlers<T>): Disposable {
    for (const object of this.#store.values()) this.#deliver(handlers, { type: 'added', object, by: 'list' });
    if (this.#hasSynced) this.#guard(() => handlers.synced?.());
    this.#handlers = [...this.#handlers, handlers];
    return {
      [Symbol.dispose]: () => {
        this.#handlers = this.#handlers.filter((other) => other !== handlers);
      },
    };
  }

  /** Resolves when `signal` is aborted and the watch is closed. Never rejects for trouble with the server. Call it once. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#started) throw new Error(`the informer for ${this.#options.type.plural} was started twice`);
    this.#started = true;
    const sharing = this.#sharing.join(this.#store);
    await this.#reflector().run(signal);
    sharing[Symbol.dispose]();
    this.#firstList.reject(new TransportError('aborted', `stopped before ${this.#options.type.plural} were listed`));
  }

  #reflector(): Reflector<T> {
    const { client, type, namespace, fieldSelector, labelSelector, lane } = this.#options;
    return new Reflector<T>({
      resource: client.resource(type),
      name: type.plural,
      scope: { namespace, fieldSelector, labelSelector, lane },
      parse: (text) => this.#sharing.parse(text),
      pageSize: this.#options.pageSize ?? 500,
      watchList: this.#options.watchList ?? true,
      relistMs: this.#options.relistMs ?? Number.POSITIVE_INFINITY,
      prepare: (object) => this.#prepare(object),
      sink: {
        replace: (objects) => {
          observeAll(this.#store, objects, this.#emit);
          if (!this.#hasSynced) this.#sync();
          for (const handlers of this.#handlers) this.#guard(() => handlers.listed?.());
        },
        exists: (object) => observe(this.#store, object, 'watch', this.#emit),
        gone: (object) => observeDeletion(this.#store, object, this.#emit),
      },
      confirmCluster: this.#options.confirmCluster ?? (async () => true),
      onError: (error) => this.#guard(() => this.#options.onError?.(error)),
      logger: this.#logger,
      clock: this.#options.clock ?? systemClock,
      random: this.#options.random ?? Math.random,
    });
  }

  #prepare(object: T): T {
    const slim = withoutManagedFields(object);
    return this.#sharing.share(this.#options.transform?.(slim) ?? slim);
  }

  #sync(): void {
    this.#hasSynced = true;
    for (const handlers of this.#handlers) this.#guard(() => handlers.synced?.());
    this.#firstList.resolve();
  }

  readonly #emit = (change: Change<T>): void => {
    for (const handlers of this.#handlers) this.#deliver(handlers, change);
  };

  #deliver(handlers: InformerHandlers<T>, change: Change<T>): void {
    this.#guard(() => {
      if (change.type === 'changed') handlers.changed?.(change.old, change.object);
      else if (change.type === 'deleted') handlers.deleted?.(change.object, change.by);
      else handlers.added?.(change.object, change.by);
    });
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#logger.error({ err: error }, `a handler of the informer for ${this.#options.type.plural} failed`);
    }
  }
}
