import {
  type Clock,
  type ConfigMap,
  configMaps,
  Informer,
  type KubeClient,
  type KubeObject,
  type Logger,
  type ResourceType,
  type Secret,
  secrets,
} from '@spillway/kube';

/** An object that a pod refers to. */
export interface WatchedObject {
  readonly kind: 'configMap' | 'secret';
  readonly namespace: string;
  readonly name: string;
  /** The resource version that was read; undefined: it was not there. */
  readonly seen: string | undefined;
}

export interface ReferenceWatchesOptions {
  /** Client of the node agent: it may watch exactly what its pods refer to, by name. */
  readonly client: Pick<KubeClient, 'resource'>;
  /** An object of the pod is not what the pod has seen of it. */
  readonly onChanged: (uid: string) => void;
  readonly logger: Logger;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

/**
 * Watches exactly the objects that pods refer to: one watch for each object, however many pods share it, which ends with the
 * last of them. Nothing of their content is kept.
 */
export class ReferenceWatches {
  readonly #options: ReferenceWatchesOptions;
  readonly #watches = new Map<string, ObjectWatch>();
  /** What each pod watches, by UID. */
  readonly #pods = new Map<string, readonly ObjectWatch[]>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(options: ReferenceWatchesOptions) {
    this.#options = options;
  }

  /** Objects that are watched: so many connections are open. */
  get size(): number {
    return this.#watches.size;
  }

  /** The pod is told of changes of exactly these from now on, also of those that happened since it has read them. */
  set(uid: string, objects: readonly WatchedObject[]): void {
    if (this.#closed) return;
    const before = this.#pods.get(uid) ?? [];
    const watches = objects.map((object) => this.#watch(object));
    for (const watch of before) if (!watches.includes(watch)) this.#leave(watch, uid);
    if (watches.length > 0) this.#pods.set(uid, watches);
    else this.#pods.delete(uid);
    for (const [index, watch] of watches.entries()) watch.join(uid, objects[index]?.seen);
  }

  release(uid: string): void {
    if (this.#pods.has(uid)) this.set(uid, []);
  }

  /** Settles when every watch has ended. */
  async close(): Promise<void> {
    for (const uid of this.#pods.keys()) this.release(uid);
    this.#closed = true;
    await Promise.all(this.#ending);
  }

  #watch({ kind, namespace, name }: WatchedObject): ObjectWatch {
    const key = `${kind}/${namespace}/${name}`;
    const known = this.#watches.get(key);
    if (known) return known;
    const end = new AbortController();
    const informer =
      kind === 'configMap'
        ? this.#informer<ConfigMap>(configMaps, namespace, name)
        : this.#informer<Secret>(secrets, namespace, name);
    const watch = new ObjectWatch(key, informer, end, this.#options.onChanged);
    this.#watches.set(key, watch);
    const running = informer.run(end.signal).finally(() => this.#ending.delete(running));
    this.#ending.add(running);
    return watch;
  }

  #leave(watch: ObjectWatch, uid: string): void {
    if (watch.leave(uid)) this.#watches.delete(watch.key);
  }

  #informer<T extends KubeObject>(type: ResourceType<T>, namespace: string, name: string): Informer<T> {
    const { client, clock, random, logger } = this.#options;
    return new Informer<T>({
      client,
      type,
      namespace,
      fieldSelector: `metadata.name=${name}`,
      // A list of one object needs no stream.
      watchList: false,
      transform: withoutContent,
      clock,
      random,
      logger,
      onError: (error) =>
        logger.debug({ err: error }, `cannot watch ${type.plural} ${namespace}/${name}; trying again`),
    });
  }
}

/** One object with the pods that refer to it. */
class ObjectWatch {
  readonly key: string;
  readonly #informer: Pick<Informer<KubeObject>, 'hasSynced'>;
  readonly #end: AbortController;
  readonly #onChanged: (uid: string) => void;
  /** What each pod has seen of the object, by UID. */
  readonly #seen = new Map<string, string | undefined>();
  #version: string | undefined;

  constructor(
    key: string,
    informer: Pick<Informer<KubeObject>, 'hasSynced' | 'subscribe'>,
    end: AbortController,
    onChanged: (uid: string) => void,
  ) {
    this.key = key;
    this.#informer = informer;
    this.#end = end;
    this.#onChanged = onChanged;
    informer.subscribe({
      added: ({ metadata }) => this.#is(metadata?.resourceVersion),
      changed: (_, { metadata }) => this.#is(metadata?.resourceVersion),
      deleted: () => this.#is(undefined),
      // It may have gone since it was read.
      synced: () => this.#is(this.#version),
    });
  }

  join(uid: string, seen: string | undefined): void {
    this.#seen.set(uid, seen);
    if (this.#informer.hasSynced()) this.#tell(uid);
  }

  /** True: it was the last one, and the watch ends. */
  leave(uid: string): boolean {
    this.#seen.delete(uid);
    if (this.#seen.size > 0) return false;
    this.#end.abort();
    return true;
  }

  #is(version: string | undefined): void {
    this.#version = version;
    for (const uid of this.#seen.keys()) this.#tell(uid);
  }

  #tell(uid: string): void {
    if (this.#seen.get(uid) === this.#version) return;
    this.#seen.set(uid, this.#version);
    this.#onChanged(uid);
  }
}

function withoutContent<T extends KubeObject>(object: T): T {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  const bare: KubeObject = { metadata: pick({ name, namespace, uid, resourceVersion }) };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody reads more of it than its metadata
  return bare as T;
}

function pick(fields: Record<string, string | undefined>): NonNullable<KubeObject['metadata']> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
