import type { KubeObject } from '../resource-type.ts';

/** The keys under which an object is found in an index. */
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
  /** O(matches). @throws when the index is not defined */
  byIndex(index: string, key: string): T[];
}
