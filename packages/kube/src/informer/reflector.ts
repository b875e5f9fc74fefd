import { Backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { isGone, TransportError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { keyOf, resourceVersionOf } from '../meta.ts';
import type { KubeObject } from '../resource-type.ts';
import type { ResourceClient, WatchOptions } from '../resources/resource-client.ts';
import type { WatchEvent } from '../resources/watch.ts';
import { afterFailure } from './after-failure.ts';
import { Liveness } from './liveness.ts';

export interface ReflectorConfig<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  /** For messages: "pods" */
  readonly name: string;
  readonly scope: Pick<WatchOptions, 'namespace' | 'fieldSelector' | 'labelSelector' | 'lane'>;
  /** Reads an object in a watch event. */
  readonly parse: (text: string) => T;
  readonly pageSize: number;
  readonly watchList: boolean;
  /** At the end of a watch everything is listed again if the last list is older. */
  readonly relistMs: number;
  /** Makes an object that came in ready to be kept */
  readonly prepare: (object: T) => T;
  readonly sink: ReflectorSink<T>;
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Gets the collection's history: once everything, then each change, then perhaps everything again. */
export interface ReflectorSink<T> {
  replace(objects: ReadonlyMap<string, T>): void;
  exists(object: T): void;
  gone(object: T): void;
}

const firstBackoffMs = 800;
const maxBackoffMs = 30_000;
// Proxies cut connections that are silent for a minute; that is no failure to be careful after.
const healthyMs = 30_000;
const shortestWatchMs = 1_000;
const watchListTries = 3;

/**
 * client-go's reflector: lists a collection, then watches it from there, and goes on after every kind of failure. A watch
 * that the server ended goes on where it was. After a lost connection, or when the server has forgotten what came after
 * the last known version (410) or does not know it yet, everything is listed again; also after a watch that has told nothing,
 * not even a bookmark, as one from a version that a restored etcd does not have yet.
 */
export class Reflector<T extends KubeObject> {
  readonly #config: ReflectorConfig<T>;
  readonly #backoff: Backoff;
  /** Up to where the sink knows the history; undefined: everything has to be listed */
  #resourceVersion: string | undefined;
  #listedMs = 0;
  #watchList: boolean;
  #watchListFailures = 0;
  #bookmarksSeen = false;

  constructor(config: ReflectorConfig<T>) {
    this.#config = config;
    this.#watchList = config.watchList;
    this.#backoff = new Backoff({
      firstMs: firstBackoffMs,
      maxMs: maxBackoffMs,
      resetAfterMs: healthyMs,
      random: config.random,
    });
  }

  /** Resolves when `signal` is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#config;
    while (!signal.aborted) {
      try {
        await this.#step(signal);
      } catch (error) {
        if (signal.aborted) return;
        const delayMs = this.#failed(error);
        if (delayMs > 0) await clock.sleep(delayMs, signal);
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    await this.#confirmCluster(signal);
    if (this.#resourceVersion !== undefined) {
      await this.#watch(signal, undefined);
    } else if (this.#watchList && this.#watchListFailures < watchListTries) {
      await this.#watch(signal, new Map());
    } else {
      this.#watchListFailures = 0;
      await this.#list(signal);
    }
  }

  /** Asked again when the answer is there: the address may have changed hands in between. */
  async #confirmCluster(signal: AbortSignal): Promise<void> {
    const { confirmCluster, name } = this.#config;
    if (await confirmCluster(signal)) return;
    throw new TransportError('protocol', `${name}: the API server answers for another cluster than before`);
  }

  /** How long to wait before the next step. */
  #failed(error: unknown): number {
    const { clock, logger, name, onError } = this.#config;
    const filling = this.#resourceVersion === undefined;
    const next = afterFailure(error, { streamedList: filling && this.#watchList });
    if (next.relist) this.#resourceVersion = undefined;
    if (next.streamedListFailed) this.#watchListFailures++;
    if (next.withoutStreamedList) {
      this.#watchList = false;
      logger.debug({ err: error }, `${name}: the server does not stream lists; listing in pages`);
      return 0;
    }
    const delay = Math.max(next.atLeastMs, this.#backoff.next(clock.now()));
    logger.warn({ err: error, retryInMs: Math.round(delay) }, `${name}: ${filling ? 'list' : 'watch'} failed`);
    onError(error);
    return delay;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { resource, scope, pageSize } = this.#config;
    const options = { ...scope, signal, timeoutMs: 60_000 };
    let objects = new Map<string, T>();
    let resourceVersion = '';
    try {
      for await (const page of resource.pages({ ...options, limit: pageSize })) {
        for (const item of page.items) this.#collect(objects, item);
        resourceVersion = page.metadata.resourceVersion ?? '';
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      // Reading the pages took longer than the server remembers their version: all at once, then.
      const all = await resource.list(options);
      objects = new Map();
      for (const item of all.items) this.#collect(objects, item);
      resourceVersion = all.metadata.resourceVersion ?? '';
    }
    await this.#confirmCluster(signal);
    this.#replace(objects, resourceVersion);
  }

  /** One watch until its end. With `initial` the server first sends everything there is, then a marked bookmark. */
  async #watch(signal: AbortSignal, initial: Map<string, T> | undefined): Promise<void> {
    const { resource, scope, parse, clock, random, name, relistMs } = this.#config;
    const timeoutSeconds = Math.round(300 * (1 + random()));
    const start = clock.now();
    const liveness = new Liveness({ clock, about: name, limitMs: timeoutSeconds * 1000 + 30_000 });
    if (initial !== undefined) liveness.expectWithin(60_000);
    else if (this.#bookmarksSeen) liveness.expectBookmarks();
    const watching = liveness.begin(signal);
    let collecting = initial;
    let events = 0;
    try {
      const options: WatchOptions = {
        ...scope,
        parse,
        signal: watching,
        timeoutSeconds,
        allowBookmarks: true,
        retry: false,
      };
      const stream = resource.watch(
        initial === undefined
          ? { ...options, resourceVersion: this.#resourceVersion }
          : { ...options, sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' },
      );
      for await (const event of stream) {
        if (events === 0) await this.#confirmCluster(signal);
        events++;
        liveness.seen();
        if (event.type === 'BOOKMARK') {
          this.#bookmarksSeen = true;
          liveness.expectBookmarks();
        }
        if (collecting === undefined) this.#apply(event);
        else collecting = this.#gather(collecting, event);
      }
    } catch (error) {
      throw liveness.failure ?? error;
    } finally {
      await liveness.end();
    }
    if (collecting !== undefined) throw new TransportError('protocol', `${name}: the streamed list ended half-way`);
    const now = clock.now();
    if (events === 0 && now - start < shortestWatchMs) {
      throw new TransportError('protocol', `${name}: the server ended the watch at once`);
    }
    if (events === 0 || now - this.#listedMs >= relistMs) this.#resourceVersion = undefined;
  }

  /** Answers the collection as long as it is incomplete. */
  #gather(objects: Map<string, T>, event: WatchEvent<T>): Map<string, T> | undefined {
    if (event.type === 'DELETED') {
      objects.delete(keyOf(event.object));
    } else if (event.type !== 'BOOKMARK') {
      this.#collect(objects, event.object);
    } else if (event.object.metadata?.annotations?.['k8s.io/initial-events-end'] === 'true') {
      this.#watchListFailures = 0;
      this.#replace(objects, resourceVersionOf(event.object));
      return undefined;
    }
    return objects;
  }

  #collect(objects: Map<string, T>, item: T): void {
    objects.set(keyOf(item), this.#config.prepare(item));
  }

  #replace(objects: ReadonlyMap<string, T>, resourceVersion: string): void {
    this.#resourceVersion = resourceVersion;
    this.#listedMs = this.#config.clock.now();
    this.#config.sink.replace(objects);
  }

  #apply(event: WatchEvent<T>): void {
    const { sink, prepare } = this.#config;
    const resourceVersion = resourceVersionOf(event.object);
    if (event.type === 'DELETED') sink.gone(prepare(event.object));
    else if (event.type !== 'BOOKMARK') sink.exists(prepare(event.object));
    if (resourceVersion !== '') this.#resourceVersion = resourceVersion;
  }
}
