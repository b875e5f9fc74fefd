import type { Status } from '../generated/index.ts';
import { nameOf, namespaceOf } from '../meta.ts';
import type { KubeList, KubeObject, ObjectRef, ResourceType } from '../resource-type.ts';
import type { LaneName } from '../transport/lanes.ts';
import type { KubeRequest, QueryValue, Requester } from '../transport/request.ts';
import type { Patch } from './patch.ts';
import { listIn, noFailure, objectIn } from './believe.ts';
import { resourcePath } from './paths.ts';
import { type WatchEvent, watchEvents } from './watch.ts';

export interface CallOptions {
  readonly lane?: LaneName | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For all attempts together. Default: 30 s */
  readonly timeoutMs?: number | undefined;
  /** Default: true */
  readonly retry?: boolean | undefined;
  /** Reads an object of the API: the answer, or one in a watch event. @throws SyntaxError. Default: JSON.parse */
  readonly parse?: ((text: string) => unknown) | undefined;
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
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
}

export interface DeleteCollectionOptions extends DeleteOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/**
 * The verbs of one kind of object. All of them throw ApiError or TransportError. Subresources may be of another type:
 * `get<Scale>(ref, { subresource: 'scale' })`, `create<TokenRequest>(request, { subresource: 'token', namespace, name })`.
 */
export interface ResourceClient<T extends KubeObject> {
  get<R extends KubeObject = T>(ref: ObjectRef, options?: GetOptions): Promise<R>;
  list(options?: ListOptions): Promise<KubeList<T>>;
  /** The list in pieces of `limit` (default 500), all of one resource version. A 410 in the middle ends it. */
  pages(options?: ListOptions): AsyncIterable<KubeList<T>>;
  create<R extends KubeObject = T>(object: NoInfer<R>, options?: CreateOptions): Promise<R>;
  replace<R extends KubeObject = T>(object: NoInfer<R>, options?: WriteOptions): Promise<R>;
  patch<R extends KubeObject = T>(ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<R>;
  /** Server-side apply */
  apply(object: T, options: ApplyOptions): Promise<T>;
  /** Answers the object when it is still there (finalizers, grace period), a Status when it is gone. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<T | Status>;
  deleteCollection(options?: DeleteCollectionOptions): Promise<void>;
  /** One watch: ends when the server ends it, throws when it breaks or reports an error. For a view that repairs itself: Informer. */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
}

const patchTypes: Readonly<Record<Patch['type'], string>> = {
  strategic: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

export function resourceClient<T extends KubeObject>(client: Requester, type: ResourceType<T>): ResourceClient<T> {
  /** Path of one object. @throws TypeError: a programming error that the server would answer with a bare 404 */
  const pathOf = (ref: Partial<ObjectRef>, subresource?: string): string => {
    if (ref.name === undefined || ref.name === '') throw new TypeError(`${type.plural}: the object has no name`);
    return resourcePath(type, { ...scopeOf(ref.namespace), name: ref.name, subresource });
  };
  const scopeOf = (namespace: string | undefined): { namespace?: string } => {
    if (!type.namespaced) return {};
    if (namespace === undefined || namespace === '') throw new TypeError(`${type.plural}: the namespace is missing`);
    return { namespace };
  };
  const common = (options: CallOptions & { subresource?: string | undefined }): Partial<KubeRequest> => ({
    lane: options.lane,
    signal: options.signal,
    timeoutMs: options.timeoutMs,
    retry: options.retry,
    parse: options.parse,
    resource: options.subresource === undefined ? type.plural : `${type.plural}/${options.subresource}`,
  });
  /** Items of a list come without kind and apiVersion; events of a watch with them. Here both have them. */
  const complete = (list: KubeList<T>): KubeList<T> => {
    for (const item of list.items) {
      item.apiVersion = type.apiVersion;
      item.kind = type.kind;
    }
    return list;
  };
  const send = async <R>(request: KubeRequest): Promise<R> => noFailure(await client.request<R>(request), request);
  const exchange = async <R>(request: KubeRequest): Promise<R> => objectIn(await send<R>(request), request);
  const typed = <R extends KubeObject>(object: R, subresource: string | undefined): R =>
    object.kind !== undefined || subresource !== undefined
      ? object
      : { apiVersion: type.apiVersion, kind: type.kind, ...object };
  const list = async (options: ListOptions): Promise<KubeList<T>> => {
    const request: KubeRequest = {
      ...common(options),
      method: 'GET',
      path: resourcePath(type, { namespace: options.namespace }),
      query: listQuery(options),
    };
    return complete(listIn<T>(await send(request), request));
  };

  return {
    async get(ref, options = {}) {
      return await exchange({
        ...common(options),
        method: 'GET',
        path: pathOf(ref, options.subresource),
        query: { resourceVersion: options.resourceVersion },
      });
    },

    list: (options = {}) => list(options),

    async *pages(options = {}) {
      let next = options.continue;
      do {
        // The continue token stands for the resource version; the server refuses both together.
        const page = await list(
          next === undefined
            ? { limit: 500, ...options }
            : { limit: 500, ...options, continue: next, resourceVersion: undefined, resourceVersionMatch: undefined },
        );
        yield page;
        next = page.metadata.continue;
      } while (next !== undefined && next !== '');
    },

    async create(object, options = {}) {
      const { subresource } = options;
      const namespace = options.namespace ?? namespaceOf(object);
      const path =
        subresource === undefined
          ? resourcePath(type, scopeOf(namespace))
          : pathOf({ namespace, name: options.name ?? nameOf(object) }, subresource);
      return await send({
        ...common(options),
        method: 'POST',
        path,
        query: writeQuery(options),
        body: typed(object, subresource),
      });
    },

    async replace(object, options = {}) {
      return await exchange({
        ...common(options),
        method: 'PUT',
        path: pathOf(object.metadata ?? {}, options.subresource),
        query: writeQuery(options),
        body: typed(object, options.subresource),
      });
    },

    async patch(ref, patch, options = {}) {
      return await exchange({
        ...common(options),
        method: 'PATCH',
        path: pathOf(ref, options.subresource),
        query: writeQuery(options),
        contentType: patchTypes[patch.type],
        body: patch.body,
      });
    },

    async apply(object, options) {
      return await exchange({
        ...common(options),
        method: 'PATCH',
        path: pathOf(object.metadata ?? {}, options.subresource),
        query: { ...writeQuery(options), force: options.force },
        // JSON is YAML
        contentType: 'application/apply-patch+yaml',
        body: typed(object, undefined),
      });
    },

    async delete(ref, options = {}) {
      return await send({
        ...common(options),
        method: 'DELETE',
        path: pathOf(ref),
        body: deleteBody(options),
      });
    },

    async deleteCollection(options = {}) {
      await send({
        ...common(options),
        method: 'DELETE',
        path: resourcePath(type, scopeOf(options.namespace)),
        query: { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector },
        body: deleteBody(options),
      });
    },

    async *watch(options = {}) {
      const path = resourcePath(type, { namespace: options.namespace });
      const stream = await client.stream({
        ...common(options),
        method: 'GET',
        path,
        query: {
          watch: true,
          ...listQuery(options),
          allowWatchBookmarks: options.allowBookmarks,
          sendInitialEvents: options.sendInitialEvents,
          timeoutSeconds: options.timeoutSeconds,
        },
      });
      yield* watchEvents<T>(stream, `watch of ${path}`, options.parse);
    },
  };
}

function listQuery(options: ListOptions): Record<string, QueryValue> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
  };
}

const writeQuery = (options: WriteOptions): Record<string, QueryValue> => ({
  dryRun: options.dryRun === true ? 'All' : undefined,
  fieldManager: options.fieldManager,
});

const deleteBody = (options: DeleteOptions): object => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  gracePeriodSeconds: options.gracePeriodSeconds,
  preconditions: options.preconditions,
  propagationPolicy: options.propagationPolicy,
  ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
});
