import {
  ApiError,
  type KubeClient,
  type KubeList,
  type KubeObject,
  type Lease,
  type ObjectRef,
  type Patch,
  type Pod,
  type ResourceClient,
  type ResourceType,
  type Timing,
  type TokenRequest,
  TransportError,
  type WatchEvent,
} from '@spillway/kube';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { StatusPatch } from '../status/status-patch.ts';
import { bodyOf } from './fake-client.ts';
import { FakeLeases } from './fake-leases.ts';
import { mergeStatus } from './strategic-merge.ts';

interface Change {
  readonly version: number;
  readonly event: WatchEvent<Pod>;
}

interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string };
}

/**
 * The pods of one node as the API server keeps them: list, watch from a version, status patches and deletes with UIDs as
 * preconditions, answered as the real one answers. It can be away, drop its watches, and forget its history.
 */
export class FakePodsApi {
  readonly #travel: () => Promise<void>;
  readonly #clock: Pick<Timing, 'now' | 'after'>;
  readonly #pods = new Map<string, Pod>();
  /** Names in use, deleted ones too: the last state of each UID. */
  readonly last: Map<string, Pod> = new Map();
  #history: Change[] = [];
  #version = 1;
  #forgottenUpTo = 0;
  #away = false;
  /** Another number: all watches are broken. */
  #watches = 0;
  /** Another number: so is everything under way. */
  #connections = 0;
  /** Another cluster answers at the address of this one. */
  #elsewhere: FakePodsApi | undefined;
  readonly leases: FakeLeases = new FakeLeases();
  /** That were answered. */
  requests = 0;
  /** Names of pods of other clusters that were changed by who wanted to change those of this one. */
  readonly intrusions: string[] = [];
  /** Of all tokens that were asked for, in seconds. */
  readonly tokenLives: number[] = [];
  /** Lists for those who keep a copy come from a cache that is empty; live reads do not. */
  cacheIsEmpty = false;
  /** As with a policy or webhook that finds something wrong with every status. */
  refusesStatuses = false;
  #news = Promise.withResolvers<void>();

  /**
   * @param travel takes as long as a request, an answer or an event is on its way. Default: no time
   * @param clock for bookmarks, and for watches that end in time. Default: neither of them
   */
  constructor(
    travel: () => Promise<void> = async () => undefined,
    clock: Pick<Timing, 'now' | 'after'> = { now: () => 0, after: () => () => {} },
  ) {
    this.#travel = travel;
    this.#clock = clock;
  }

  get all(): readonly Pod[] {
    return [...this.#pods.values()];
  }

  get(name: string): Pod | undefined {
    return this.#pods.get(name);
  }

  byUid(uid: string): Pod | undefined {
    return this.all.find((pod) => pod.metadata?.uid === uid);
  }

  // --- what users and others do

  create(pod: Pod): void {
    if (!this.#pods.has(nameOf(pod))) this.#put(pod, 'ADDED');
  }

  /** As the API server: a pod that has ended needs no grace; a shorter grace wins. */
  delete(name: string, graceSeconds: number, nowMs: number): void {
    const pod = this.#pods.get(name);
    if (!pod) return;
    const grace = isTerminalPhase(pod.status?.phase) ? 0 : graceSeconds;
    if (grace === 0) {
      this.#drop(pod);
      return;
    }
    const known = pod.metadata?.deletionGracePeriodSeconds;
    if (known !== undefined && known <= grace) return;
    const deletionTimestamp = new Date(nowMs + grace * 1000).toISOString();
    this.#put(
      { ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: grace } },
      'MODIFIED',
    );
  }

  change(name: string, change: (pod: Pod) => Pod): void {
    const pod = this.#pods.get(name);
    if (pod) this.#put(change(pod), 'MODIFIED');
  }

  // --- what happens to the server

  set away(away: boolean) {
    this.#away = away;
    if (away) this.dropWatches();
  }

  get away(): boolean {
    return this.#away;
  }

  /** Another cluster answers at the address of this one: `true` is one without pods. */
  set elsewhere(other: FakePodsApi | boolean) {
    this.#elsewhere = other === true ? new FakePodsApi() : other || undefined;
    this.#disconnect();
  }

  get elsewhere(): boolean {
    return this.#elsewhere !== undefined;
  }

  /** As when etcd is restored from a snapshot that was taken when there were these pods: versions are given anew. */
  restore(pods: readonly Pod[]): void {
    this.#pods.clear();
    for (const pod of pods) {
      this.#pods.set(nameOf(pod), pod);
      this.last.set(pod.metadata?.uid ?? '', pod);
    }
    this.#version = Math.max(1, ...pods.map((pod) => Number(pod.metadata?.resourceVersion)));
    // It is another process, and remembers nothing of what was before it.
    this.#forgottenUpTo = this.#version;
    this.#history = [];
    this.#disconnect();
  }

  dropWatches(): void {
    this.#watches += 1;
    this.#tell();
  }

  /** Whoever watches from before now has to list again. */
  forgetHistory(): void {
    this.#forgottenUpTo = this.#version;
    this.#history = [];
    this.dropWatches();
  }

  // --- the client's side

  client(): Pick<KubeClient, 'resource'> {
    const clients: Readonly<Record<string, () => object>> = {
      pods: () => this.#podClient(),
      leases: () => this.#leaseClient(),
    };
    return {
      resource: <T extends KubeObject>({ plural }: ResourceType<T>): ResourceClient<T> => {
        const client = clients[plural]?.() ?? this.#emptyClient(plural);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a fake knows less than the real one
        return client as unknown as ResourceClient<T>;
      },
    };
  }

  /** Who answers at the address says which cluster it is. */
  isThisCluster(): Promise<boolean> {
    return this.#served((server) => server === this);
  }

  #podClient(): object {
    return {
      list: ({ fieldSelector = '' }: { fieldSelector?: string } = {}): Promise<KubeList<Pod>> =>
        this.#served((server) => {
          const name = /metadata\.name=([^,]*)/.exec(fieldSelector)?.[1];
          return server.#list(name === undefined ? server.all : server.all.filter((pod) => nameOf(pod) === name));
        }),
      pages: () => this.#pages(),
      watch: (options: WatchRequest) => this.#watch(options),
      patch: (ref: ObjectRef, patch: Patch): Promise<Pod> =>
        this.#served((server) => this.#changing(server, server.#patchStatus(ref, bodyOf<StatusPatch>(patch)))),
      delete: (ref: ObjectRef, options: DeleteOptions): Promise<Pod> =>
        this.#served((server) => this.#changing(server, server.#deleteNow(ref, options))),
    };
  }

  #leaseClient(): object {
    return {
      get: (ref: ObjectRef) => this.#served((server) => server.leases.get(ref)),
      create: (lease: Lease) => this.#served((server) => server.leases.create(lease)),
      replace: (lease: Lease) => this.#served((server) => server.leases.replace(lease)),
    };
  }

  #emptyClient(plural: string): object {
    return {
      list: () => this.#served((server) => server.#list([])),
      pages: async function* (this: { list: () => Promise<KubeList<Pod>> }) {
        yield await this.list();
      },
      watch: (options: WatchRequest) => this.#watch(options, true),
      create: (request: TokenRequest): Promise<TokenRequest> =>
        this.#served(() => {
          this.tokenLives.push(request.spec?.expirationSeconds ?? 0);
          return { ...request, status: { token: `token ${this.tokenLives.length}`, expirationTimestamp: '' } };
        }),
      get: ({ name }: ObjectRef) =>
        this.#served(() => {
          throw new ApiError(`${plural} "${name}" not found`, { status: 404, reason: 'NotFound' });
        }),
    };
  }

  /** The request travels, is done by whoever answers, and the answer travels; who is not there any more by then is not heard. */
  async #served<T>(doIt: (server: FakePodsApi) => T): Promise<T> {
    const connections = this.#connections;
    this.requests += 1;
    await this.#travel();
    this.#mustBeThere(connections);
    const [done] = await Promise.allSettled([Promise.resolve(this.#elsewhere ?? this).then(doIt)]);
    await this.#travel();
    this.#mustBeThere(connections);
    if (done.status === 'rejected') throw done.reason;
    return done.value;
  }

  /** Who changed a pod at the address of this cluster has changed one of another. */
  #changing(server: FakePodsApi, pod: Pod): Pod {
    if (server !== this) this.intrusions.push(nameOf(pod));
    return pod;
  }

  async *#pages(): AsyncGenerator<KubeList<Pod>, void, undefined> {
    yield await this.#served((server) => server.#list(server.cacheIsEmpty ? [] : server.all));
  }

  #list(items: readonly Pod[]): KubeList<Pod> {
    return { metadata: { resourceVersion: String(this.#version) }, items: [...items] };
  }

  /** From a version that it does not have yet, it is silent. */
  async *#watch(
    { resourceVersion, sendInitialEvents, timeoutSeconds = 300, signal }: WatchRequest,
    silent = false,
  ): AsyncGenerator<WatchEvent<Pod>, void, undefined> {
    const connections = this.#connections;
    await this.#travel();
    this.#mustBeThere(connections);
    if (sendInitialEvents) throw new ApiError('streamed lists are not supported', { status: 422, reason: 'Invalid' });
    const server = this.#elsewhere ?? this;
    const from = Number(resourceVersion);
    if (from < server.#forgottenUpTo)
      throw new ApiError('too old resource version', { status: 410, reason: 'Expired' });
    const watches = this.#watches;
    const history = server.#history;
    let told = history.findLastIndex(({ version }) => version <= from) + 1;
    const { now, after } = this.#clock;
    const endMs = now() + timeoutSeconds * 1000;
    let bookmarkMs = now() + bookmarkEveryMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    while (!signal.aborted) {
      if (watches !== this.#watches || history !== server.#history)
        throw new TransportError('unreachable', 'the watch broke');
      const next = silent ? undefined : history[told];
      let event: WatchEvent<Pod> | undefined;
      if (next) {
        told += 1;
        event = next.event;
      } else if (now() >= endMs) {
        return;
      } else if (now() >= bookmarkMs) {
        bookmarkMs += bookmarkEveryMs;
        if (from <= server.#version) event = server.#bookmark();
      }
      if (event) {
        await this.#travel();
        if (!signal.aborted) yield event;
        continue;
      }
      const timer = Promise.withResolvers<void>();
      const cancel = after(Math.min(endMs, bookmarkMs) - now(), timer.resolve);
      await Promise.race([this.#news.promise, server.#news.promise, promise, timer.promise]);
      cancel();
    }
    throw new TransportError('aborted', 'the watch was given up');
  }

  #bookmark(): WatchEvent<Pod> {
    return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } };
  }

  #patchStatus({ name }: ObjectRef, patch: StatusPatch): Pod {
    const pod = this.#found(name);
    if (pod.metadata?.uid !== patch.metadata.uid) {
      throw new ApiError(`Pod "${name}" is invalid: metadata.uid: field is immutable`, {
        status: 422,
        reason: 'Invalid',
        details: { causes: [{ field: 'metadata.uid', message: 'field is immutable' }] },
      });
    }
    const { resourceVersion } = patch.metadata;
    if (resourceVersion !== undefined && resourceVersion !== pod.metadata?.resourceVersion) {
      throw new ApiError(`pods "${name}": the object has been modified`, { status: 409, reason: 'Conflict' });
    }
    if (this.refusesStatuses) throw new ApiError('a policy refuses the status', { status: 422, reason: 'Invalid' });
    const next = mergeStatus(pod, patch);
    if (pod.spec?.restartPolicy === 'Never' && startsAgain(pod, next)) {
      throw new ApiError(`Pod "${name}" is invalid: status.containerStatuses: may not be transitioned`, {
        status: 422,
        reason: 'Invalid',
        details: { causes: [{ field: 'status.containerStatuses', message: 'may not be transitioned' }] },
      });
    }
    return this.#put(next, 'MODIFIED');
  }

  #deleteNow({ name }: ObjectRef, { preconditions }: DeleteOptions): Pod {
    const pod = this.#found(name);
    if (preconditions?.uid !== undefined && pod.metadata?.uid !== preconditions.uid) {
      throw new ApiError(`Precondition failed: UID in precondition: ${preconditions.uid}`, {
        status: 409,
        reason: 'Conflict',
      });
    }
    this.#drop(pod);
    return pod;
  }

  #found(name: string): Pod {
    const pod = this.#pods.get(name);
    if (!pod) throw new ApiError(`pods "${name}" not found`, { status: 404, reason: 'NotFound' });
    return pod;
  }

  /** @param connections when the call began */
  #mustBeThere(connections: number): void {
    if (this.#away) throw new TransportError('unreachable', 'the API server is away');
    if (connections !== this.#connections) throw new TransportError('unreachable', 'the connection broke');
  }

  #disconnect(): void {
    this.#connections += 1;
    this.dropWatches();
  }

  #put(pod: Pod, type: 'ADDED' | 'MODIFIED'): Pod {
    const stored = this.#stamped(pod);
    this.#pods.set(nameOf(pod), stored);
    this.last.set(stored.metadata?.uid ?? '', stored);
    this.#record({ type, object: stored });
    return stored;
  }

  #drop(pod: Pod): void {
    this.#pods.delete(nameOf(pod));
    this.#record({ type: 'DELETED', object: this.#stamped(pod) });
  }

  #stamped(pod: Pod): Pod {
    this.#version += 1;
    return { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#version) } };
  }

  #record(event: WatchEvent<Pod>): void {
    this.#history.push({ version: this.#version, event });
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

const bookmarkEveryMs = 60_000;

interface WatchRequest {
  readonly resourceVersion?: string;
  readonly timeoutSeconds?: number;
  readonly sendInitialEvents?: boolean;
  readonly signal: AbortSignal;
}

function nameOf(pod: Pod): string {
  return pod.metadata?.name ?? '';
}

function startsAgain(before: Pod, after: Pod): boolean {
  const ended = new Set(
    (before.status?.containerStatuses ?? []).filter(({ state }) => state?.terminated).map(({ name }) => name),
  );
  return (after.status?.containerStatuses ?? []).some(({ name, state }) => state?.running && ended.has(name));
}
