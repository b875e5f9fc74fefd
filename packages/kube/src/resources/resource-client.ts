import type { Status } from '../generated/index.ts';
import type { KubeList, KubeObject, ObjectRef } from '../resource-type.ts';
import type { LaneName } from '../transport/lanes.ts';
import type { Patch } from './patch.ts';
import type { WatchEvent } from './watch.ts';

export interface CallOptions {
  readonly lane?: LaneName | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface GetOptions extends CallOptions {
  readonly subresource?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  /** "status", "scale", "approval", … */
  readonly subresource?: string | undefined;
}

export interface CreateOptions extends WriteOptions {
  /** Which object a subresource (binding, token, eviction) is created of; default: as the object itself says */
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Take over fields that other managers own instead of failing with a conflict */
  readonly force?: boolean | undefined;
}

export interface ListOptions extends CallOptions {
  /** Default: all namespaces */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  readonly allowBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  /** How long the server keeps the watch open */
  readonly timeoutSeconds?: number | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly dryRun?: boolean | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

export interface DeleteCollectionOptions extends DeleteOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/**
 * The verbs of one kind of object. All of them throw ApiError or TransportError. The type parameter of a call is for
 * subresources whose answer is another type: `get<Scale>(ref, { subresource: 'scale' })`.
 */
export interface ResourceClient<T extends KubeObject> {
  get<R extends KubeObject = T>(ref: ObjectRef, options?: GetOptions): Promise<R>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  /** The list in pieces of `limit` (default 500), all of one resource version. A 410 in the middle ends it. */
  pages(options?: ListOptions): AsyncIterable<KubeList<T>>;
  create<R extends KubeObject = T>(object: R, options?: CreateOptions): Promise<R>;
  replace<R extends KubeObject = T>(object: R, options?: WriteOptions): Promise<R>;
  patch<R extends KubeObject = T>(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<R>;
  /** Server-side apply */
  apply(object: T, options: ApplyOptions): Promise<T>;
  /** Answers the object when it is still there (finalizers, grace period), a Status when it is gone. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<T | Status>;
  deleteCollection(options?: DeleteCollectionOptions): Promise<void>;
  /** One watch: ends when the server ends it, throws when it breaks or reports an error. For a view that repairs itself: Informer. */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}
