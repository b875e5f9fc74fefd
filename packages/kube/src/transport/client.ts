import { type Clock, systemClock } from '../clock.ts';
import type { ClusterConfig, Impersonation } from '../config/cluster-config.ts';
import { type ApiError, TransportError } from '../errors.ts';
import { parseJson, trusted } from '../json.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { KubeObject, ResourceType } from '../resource-type.ts';
import { type ResourceClient, resourceClient } from '../resources/resource-client.ts';
import { aboutOf, Call, type CallContext, type Send } from './call.ts';
import { Connections } from './connections.ts';
import { defaultLanes, Lane, type LaneName, type LaneOptions } from './lanes.ts';
import { openStream } from './open-stream.ts';
import type { KubeRequest, KubeStream, RequestRecord } from './request.ts';
import { dateOf, toApiError } from './response.ts';
import { type RateOptions, SharedRate } from './shared-rate.ts';
import { type UpgradeTarget, upgradeTarget } from './upgrade.ts';

export interface KubeClientOptions {
  readonly config: ClusterConfig;
  /** Default: "spillway-kube" */
  readonly userAgent?: string | undefined;
  /** Added to, or replacing, the default lanes: lease, node, status, events, default */
  readonly lanes?: Readonly<Partial<Record<LaneName, LaneOptions>>> | undefined;
  /** For all requests together, whatever their lane. Default: only lanes have limits */
  readonly rate?: RateOptions | undefined;
  readonly logger?: Logger | undefined;
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  /**
   * Called right before each attempt leaves. When it throws, nothing is sent and the request fails as aborted, for
   * example because we are not the leader any more.
   */
  readonly beforeSend?: (() => void) | undefined;
  /** What people can do about an answer: it is added to the error's message. */
  readonly remedyOf?: ((error: ApiError) => string | undefined) | undefined;
  /** Of requests that name no other time. Default: 30 s */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

export interface Dated<T> {
  readonly value: T;
  readonly date?: number;
}

/** A client of one API server. Make one for a process and close it at the end. */
export class KubeClient implements AsyncDisposable {
  readonly config: ClusterConfig;
  readonly #options: KubeClientOptions;
  readonly #context: CallContext;
  readonly #lanes = new Map<LaneName, Lane>();
  readonly #calls = new Set<Call<unknown>>();
  readonly #streams = new Set<KubeStream>();
  #closed = false;

  constructor(options: KubeClientOptions) {
    this.config = options.config;
    this.#options = options;
    this.#context = {
      config: options.config,
      connections: new Connections(options.config),
      lane: (name) => this.#lane(name),
      rate: options.rate && new SharedRate(options.rate, options.clock ?? systemClock),
      pathPrefix: new URL(options.config.server).pathname.replace(/\/+$/, ''),
      userAgent: options.userAgent ?? 'spillway-kube',
      remedyOf: options.remedyOf ?? (() => undefined),
      timeoutMs: options.timeoutMs ?? 30_000,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      logger: options.logger ?? silentLogger,
      onRequest: options.onRequest ?? (() => undefined),
      beforeSend: options.beforeSend ?? (() => undefined),
    };
  }

  /**
   * Sends a request and parses the answer; one that is not JSON is given as a string. Retries what is safe to retry.
   * @throws ApiError, TransportError
   */
  async request<T>(request: KubeRequest): Promise<T> {
    return (await this.dated<T>(request)).value;
  }

  /** The same, with the time of the server's clock, as far as it tells: whole seconds, in milliseconds since the epoch. */
  async dated<T>(request: KubeRequest): Promise<Dated<T>> {
    return await this.#run(request, async ({ pool }, encoded) => {
      const { statusCode, headers, body } = await pool.request(encoded);
      const text = await body.text();
      if (statusCode >= 400) throw toApiError(statusCode, headers, text, aboutOf(request));
      const value = trusted<T>(this.#decode(headers['content-type'], text, request));
      return { status: statusCode, value: { value, ...dateOf(headers['date']) } };
    });
  }

  /** The body of the answer as it comes, for watches and logs, on a connection of its own. @throws ApiError, TransportError */
  async stream(request: KubeRequest): Promise<KubeStream> {
    return await this.#run(request, async ({ openClient }, encoded) => {
      const connection = openClient();
      try {
        const answer = await connection.request(encoded);
        if (answer.statusCode >= 400) {
          throw toApiError(answer.statusCode, answer.headers, await answer.body.text(), aboutOf(request));
        }
        const value = openStream(answer, connection, request, {
          config: this.config,
          onClosed: (stream) => void this.#streams.delete(stream),
        });
        this.#streams.add(value);
        if (this.#closed) await value.close();
        return { status: answer.statusCode, value };
      } catch (error) {
        await connection.destroy();
        throw error;
      }
    });
  }

  /** For who speaks another protocol with the API server, such as that of exec. @throws KubeconfigError */
  upgrade(request: Pick<KubeRequest, 'path' | 'query'>): Promise<UpgradeTarget> {
    return upgradeTarget(this.config, request);
  }

  resource<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
    return resourceClient(this, type);
  }

  /** A client that acts as somebody else, with connections and lanes of its own. To be closed by itself. */
  impersonate(user: Impersonation): KubeClient {
    return new KubeClient({ ...this.#options, config: { ...this.config, impersonate: user } });
  }

  /** Aborts what is under way and resolves when all connections are closed. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const call of this.#calls) call.abort(closedError());
    for (const lane of this.#lanes.values()) lane.close();
    this.#context.rate?.close();
    await Promise.all([...this.#streams].map((stream) => stream.close()));
    await this.#context.connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<R>(request: KubeRequest, send: Send<R>): Promise<R> {
    const call = new Call(request, this.#context, send);
    this.#calls.add(call);
    if (this.#closed) call.abort(closedError());
    try {
      return await call.run();
    } finally {
      this.#calls.delete(call);
    }
  }

  #lane(name: LaneName): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const options = this.#options.lanes?.[name] ?? defaultLanes[name] ?? defaultLanes.default;
      lane = new Lane(name, options, this.#context.clock);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #decode(contentType: string | string[] | undefined, text: string, request: KubeRequest): unknown {
    if (typeof contentType === 'string' && !contentType.includes('json')) return text;
    if (text === '') return undefined;
    try {
      return (request.parse ?? parseJson)(text);
    } catch (cause) {
      const message = `${aboutOf(request)}: the answer is not JSON. Is ${this.config.server} (from ${this.config.source}) an API server?`;
      throw new TransportError('protocol', message, { cause });
    }
  }
}

const closedError = (): Error => new Error('the client was closed');
