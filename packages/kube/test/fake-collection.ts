import { ApiError, TransportError } from '../src/errors.ts';
import type { ConfigMap } from '../src/generated/index.ts';
import { keyOf } from '../src/meta.ts';
import type { KubeList } from '../src/resource-type.ts';
import type { ListOptions, ResourceClient, WatchOptions } from '../src/resources/resource-client.ts';
import type { WatchEvent } from '../src/resources/watch.ts';

interface Watcher {
  /** Of what happened before or at this version it is told nothing. */
  from: number;
  readonly events: WatchEvent<ConfigMap>[];
  wake: () => void;
  ended: boolean;
  failure: Error | undefined;
}

/** A collection with a history, as the API server keeps it: versions, compaction, watches, bookmarks, streamed lists. */
export class FakeCollection {
  readonly #objects = new Map<string, ConfigMap>();
  readonly #history: { readonly version: number; readonly event: WatchEvent<ConfigMap> }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 10;
  #compactedTo = 0;
  #uid = 0;
  /** Thrown by the next lists and watches, one after the other */
  readonly failures: Error[] = [];
  /** Called after each page of a list: things change while somebody reads pages. */
  onPage: () => void = () => undefined;
  streamedLists: 'supported' | 'refused' | 'swallowed' = 'supported';
  lists = 0;
  watches = 0;
  readonly watchOptions: WatchOptions[] = [];

  get openWatches(): number {
    return this.#watchers.size;
  }

  get version(): number {
    return this.#version;
  }

  list(): ConfigMap[] {
    return [...this.#objects.values()];
  }

  /** Creates or changes. */
  put(name: string, data = ''): void {
    const before = this.#objects.get(`x/${name}`);
    const resourceVersion = String(++this.#version);
    const uid = before?.metadata?.uid ?? `uid-${++this.#uid}`;
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'x', name, uid, resourceVersion, managedFields: [{ manager: 'test' }] },
      data: { data },
    };
    this.#objects.set(keyOf(object), object);
    this.#publish({ type: before === undefined ? 'ADDED' : 'MODIFIED', object });
  }

  remove(name: string): void {
    const before = this.#objects.get(`x/${name}`);
    if (before === undefined) return;
    this.#objects.delete(`x/${name}`);
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(++this.#version) } };
    this.#publish({ type: 'DELETED', object });
  }

  /** Something happens in another collection: versions are counted for all together. */
  elsewhere(): void {
    this.#version++;
  }

  bookmark(): void {
    for (const watcher of this.#watchers) this.#send(watcher, this.#bookmark());
  }

  /** Forgets everything that happened until now. */
  compact(): void {
    this.#compactedTo = this.#version;
    this.#history.length = 0;
  }

  /** Returns what brings the collection back to this moment, as a restored etcd does: versions go backwards. */
  snapshot(): () => void {
    const objects = new Map(this.#objects);
    const version = this.#version;
    return () => {
      this.#objects.clear();
      for (const [key, object] of objects) this.#objects.set(key, object);
      this.#version = version;
      this.#history.length = 0;
    };
  }

  /** Ends all watches: well, when no failure is given. */
  end(failure?: Error): void {
    for (const watcher of this.#watchers) {
      watcher.ended = true;
      watcher.failure = failure;
      watcher.wake();
    }
  }

  get client(): { resource<T>(): ResourceClient<T & object> } {
    const resource = {
      pages: (options: ListOptions = {}) => this.#pages(options),
      list: (options: ListOptions = {}) => Promise.resolve(this.#page(options, 0, Number.POSITIVE_INFINITY)),
      watch: (options: WatchOptions = {}) => this.#watch(options),
    };
    // The informer under test uses nothing else.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { resource: <T>() => resource as unknown as ResourceClient<T & object> };
  }

  #publish(event: WatchEvent<ConfigMap>): void {
    this.#history.push({ version: this.#version, event });
    for (const watcher of this.#watchers) if (this.#version > watcher.from) this.#send(watcher, event);
  }

  #send(watcher: Watcher, event: WatchEvent<ConfigMap>): void {
    watcher.events.push(structuredClone(event));
    watcher.wake();
  }

  #bookmark(annotations?: { [key: string]: string }): WatchEvent<ConfigMap> {
    const metadata = { resourceVersion: String(this.#version), ...(annotations === undefined ? {} : { annotations }) };
    return { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata } };
  }

  #fail(): void {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }

  #page(_: ListOptions, from: number, limit: number): KubeList<ConfigMap> {
    this.lists++;
    this.#fail();
    const items = structuredClone(this.list().slice(from, from + limit));
    return { metadata: { resourceVersion: String(this.#version) }, items };
  }

  async *#pages(options: ListOptions): AsyncGenerator<KubeList<ConfigMap>> {
    const version = this.#version;
    const snapshot = structuredClone(this.list());
    const limit = options.limit ?? 500;
    for (let from = 0; from === 0 || from < snapshot.length; from += limit) {
      this.lists++;
      this.#fail();
      if (from > 0 && version < this.#compactedTo) throw expired();
      yield { metadata: { resourceVersion: String(version) }, items: snapshot.slice(from, from + limit) };
      this.onPage();
      await Promise.resolve();
    }
  }

  async *#watch(options: WatchOptions): AsyncGenerator<WatchEvent<ConfigMap>> {
    this.watches++;
    this.watchOptions.push(options);
    const { signal } = options;
    this.#fail();
    const watcher: Watcher = { from: 0, events: [], wake: () => undefined, ended: false, failure: undefined };
    if (options.sendInitialEvents === true) {
      if (this.streamedLists === 'refused') throw new ApiError('forbidden', { status: 422, reason: 'Invalid' });
      if (this.streamedLists === 'supported') {
        for (const object of this.list()) this.#send(watcher, { type: 'ADDED', object });
        this.#send(watcher, this.#bookmark({ 'k8s.io/initial-events-end': 'true' }));
      }
    } else {
      const from = (watcher.from = Number(options.resourceVersion));
      if (from < this.#compactedTo) throw expired();
      for (const { version, event } of this.#history) if (version > from) this.#send(watcher, event);
    }
    this.#watchers.add(watcher);
    const onAbort = (): void => watcher.wake();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        for (let event = watcher.events.shift(); event !== undefined; event = watcher.events.shift()) {
          yield event;
          if (watcher.ended && watcher.failure !== undefined) break;
        }
        if (signal?.aborted === true) throw new TransportError('aborted', 'given up');
        if (watcher.failure !== undefined) throw watcher.failure;
        if (watcher.ended) return;
        await new Promise<void>((resolve) => (watcher.wake = resolve));
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#watchers.delete(watcher);
    }
  }
}

const expired = (): ApiError => new ApiError('too old resource version', { status: 410, reason: 'Expired' });
