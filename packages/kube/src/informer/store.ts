import { keyOf, objectKey, uidOf } from '../meta.ts';
import type { KubeObject } from '../resource-type.ts';

/** The keys under which an object is found in an index. Pure: it is asked again when the object leaves. */
export type IndexFunction<T> = (object: T) => string | readonly string[] | undefined;

/** What an informer knows. Objects are shared: never change one. */
export interface Store<T extends KubeObject> {
  readonly size: number;
  /** `namespace` is empty for cluster-scoped objects. */
  get(namespace: string, name: string): T | undefined;
  getByUid(uid: string): T | undefined;
  /** A new array of all; O(n) */
  list(): T[];
  values(): Iterable<T>;
  /** O(matches). @throws RangeError when the index is not defined */
  byIndex(index: string, key: string): T[];
}

interface Index<T> {
  readonly keysOf: IndexFunction<T>;
  /** Index key → object key → object */
  readonly buckets: Map<string, Map<string, T>>;
}

/** Every change costs the same, however many objects there are. */
export class IndexedStore<T extends KubeObject> implements Store<T> {
  readonly #byKey = new Map<string, T>();
  readonly #byUid = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>> = {}) {
    for (const [name, keysOf] of Object.entries(indexes)) this.#indexes.set(name, { keysOf, buckets: new Map() });
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#byKey.get(objectKey(namespace, name));
  }

  getByKey(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  getByUid(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  list(): T[] {
    return [...this.#byKey.values()];
  }

  values(): Iterable<T> {
    return this.#byKey.values();
  }

  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  byIndex(index: string, key: string): T[] {
    const { buckets } = this.#index(index);
    const bucket = buckets.get(key);
    return bucket === undefined ? [] : [...bucket.values()];
  }

  /** Stores the object in place of the one with the same name. */
  set(object: T): void {
    const key = keyOf(object);
    this.delete(key);
    this.#byKey.set(key, object);
    this.#byUid.set(uidOf(object), object);
    for (const index of this.#indexes.values()) {
      for (const indexKey of keysIn(index, object)) {
        let bucket = index.buckets.get(indexKey);
        if (bucket === undefined) index.buckets.set(indexKey, (bucket = new Map()));
        bucket.set(key, object);
      }
    }
  }

  delete(key: string): void {
    const object = this.#byKey.get(key);
    if (object === undefined) return;
    this.#byKey.delete(key);
    if (this.#byUid.get(uidOf(object)) === object) this.#byUid.delete(uidOf(object));
    for (const index of this.#indexes.values()) {
      for (const indexKey of keysIn(index, object)) {
        const bucket = index.buckets.get(indexKey);
        bucket?.delete(key);
        if (bucket?.size === 0) index.buckets.delete(indexKey);
      }
    }
  }

  #index(name: string): Index<T> {
    const index = this.#indexes.get(name);
    if (index !== undefined) return index;
    throw new RangeError(`no index "${name}" is defined; there are: ${[...this.#indexes.keys()].join(', ') || 'none'}`);
  }
}

function keysIn<T>(index: Index<T>, object: T): readonly string[] {
  const keys = index.keysOf(object);
  return keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys;
}
