import type { Dispatcher } from 'undici';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { ClusterConfig, Impersonation } from '../config/cluster-config.ts';
import { ApiError, KubeconfigError, TransportError } from '../errors.ts';
import { trusted } from '../json.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { KubeObject, ResourceType } from '../resource-type.ts';
import { type ResourceClient, resourceClient } from '../resources/resource-client.ts';
import { type Connection, Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { expiredCertificateHint } from './expired-certificate.ts';
import { defaultLanes, Lane, type LaneName, type LaneOptions } from './lanes.ts';
import { encodeRequest, type EncodedRequest } from './encode.ts';
import type { KubeRequest, KubeStream, RequestRecord } from './request.ts';
import { toApiError } from './response.ts';
import { retryDelayMs } from './retry.ts';
import { streamBody } from './stream-body.ts';
import { toTransportError } from './transport-errors.ts';

export interface KubeClientOptions {
  readonly config: ClusterConfig;
  /** Default: "spillway-kube" */
  readonly userAgent?: string | undefined;
  /** Added to, or replacing, the default lanes: lease, node, status, events, default */
  readonly lanes?: Readonly<Partial<Record<LaneName, LaneOptions>>> | undefined;
  readonly logger?: Logger | undefined;
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

const defaultTimeoutMs = 30_000;

type Send<R> = (connection: Connection, request: EncodedRequest, deadline: Deadline) => Promise<Answer<R>>;
interface Answer<R> {
  readonly status: number;
  readonly value: R;
}

/** A client of one API server. Make one for a process and close it at the end. */
export class KubeClient implements AsyncDisposable {
  readonly config: ClusterConfig;
  readonly #options: KubeClientOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #connections: Connections;
  readonly #lanes = new Map<LaneName, Lane>();
  readonly #pathPrefix: string;
  readonly #underWay = new Set<Deadline>();
  readonly #streams = new Set<KubeStream>();
  #closed = false;

  constructor(options: KubeClientOptions) {
    this.config = options.config;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    this.#connections = new Connections(options.config);
    this.#pathPrefix = new URL(options.config.server).pathname.replace(/\/+$/, '');
  }

  /**
   * Sends a request and parses the answer; one that is not JSON is given as a string. Retries what is safe to retry.
   * @throws ApiError, TransportError
   */
  async request<T>(request: KubeRequest): Promise<T> {
    using deadline = this.#begin(request);
    return await this.#attempts(request, deadline, async (connection, encoded) => {
      const { statusCode, headers, body } = await connection.pool.request({
        ...encoded,
        signal: deadline.signal,
      });
      const text = await body.text();
      if (statusCode >= 400) throw toApiError(statusCode, headers, text, aboutOf(request));
      return { status: statusCode, value: trusted<T>(this.#decode(headers['content-type'], text, request)) };
    });
  }

  /** The body of the answer as it comes, for watches and logs, on a connection of its own. @throws ApiError, TransportError */
  async stream(request: KubeRequest): Promise<KubeStream> {
    using deadline = this.#begin(request);
    return await this.#attempts(request, deadline, async (connection, encoded) => {
      const client = connection.openStream();
      try {
        const answer = await client.request({ ...encoded, signal: deadline.signal });
        if (answer.statusCode >= 400) {
          throw toApiError(answer.statusCode, answer.headers, await answer.body.text(), aboutOf(request));
        }
        const value = this.#openStream(answer, () => client.destroy(), request);
        return { status: answer.statusCode, value };
      } catch (error) {
        await client.destroy();
        throw error;
      }
    });
  }

  resource<T extends KubeObject>(type: ResourceType<T>): ResourceClient<T> {
    return resourceClient(this, type);
  }

  /** A client that acts as somebody else, with connections of its own. To be closed by itself. */
  impersonate(user: Impersonation): KubeClient {
    return new KubeClient({ ...this.#options, config: { ...this.config, impersonate: user } });
  }

  /** Aborts what is under way and resolves when all connections are closed. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const deadline of this.#underWay) deadline.abort(new Error('the client was closed'));
    for (const lane of this.#lanes.values()) lane.close();
    await Promise.all([...this.#streams].map((stream) => stream.close()));
    await this.#connections.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #begin(request: KubeRequest): Deadline {
    const deadline = new Deadline(request.timeoutMs ?? defaultTimeoutMs, request.signal);
    this.#underWay.add(deadline);
    if (this.#closed) deadline.abort(new Error('the client was closed'));
    return deadline;
  }

  async #attempts<R>(request: KubeRequest, deadline: Deadline, send: Send<R>): Promise<R> {
    const started = this.#clock.now();
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const encoded = encodeRequest(request, this.#pathPrefix, this.#options.userAgent ?? 'spillway-kube');
    const seen = { refusedGeneration: -1 };
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#attempt(request, encoded, deadline, attempt, seen, send);
        } catch (cause) {
          const error = this.#translate(cause, request, deadline);
          const wait = await this.#retryDelay(request, error, attempt, seen);
          const left = timeoutMs - (this.#clock.now() - started);
          if (wait === undefined || wait >= left || deadline.signal.aborted) throw error;
          this.#logger.debug({ err: error, attempt, waitMs: wait }, `retrying ${aboutOf(request)}`);
          await this.#clock.sleep(wait, deadline.signal);
        }
      }
    } finally {
      this.#underWay.delete(deadline);
    }
  }

  async #attempt<R>(
    request: KubeRequest,
    encoded: EncodedRequest,
    deadline: Deadline,
    attempt: number,
    seen: { refusedGeneration: number },
    send: Send<R>,
  ): Promise<R> {
    const lane = this.#lane(request.lane ?? 'default');
    const queued = this.#clock.now();
    await lane.acquire(deadline.signal);
    const sent = this.#clock.now();
    let status = 0;
    try {
      const connection = await this.#connections.current();
      try {
        const headers = [...encoded.headers, ...connection.headers];
        const answer = await send(connection, { ...encoded, headers }, deadline);
        status = answer.status;
        return answer.value;
      } catch (error) {
        if (error instanceof ApiError) {
          status = error.status;
          if (status === 401) {
            const repeated = seen.refusedGeneration === connection.generation;
            seen.refusedGeneration = connection.generation;
            if (!repeated) this.config.credentials.invalidate?.(connection.generation);
            error.message += expiredCertificateHint(connection.credentials, this.#clock.now(), this.config.source);
          }
        }
        throw error;
      }
    } finally {
      lane.release();
      this.#options.onRequest?.({
        method: request.method,
        resource: request.resource ?? '',
        lane: request.lane ?? 'default',
        status,
        attempt,
        durationMs: this.#clock.now() - sent,
        queuedMs: sent - queued,
      });
    }
  }

  async #retryDelay(
    request: KubeRequest,
    error: Error,
    failures: number,
    seen: { refusedGeneration: number },
  ): Promise<number | undefined> {
    if (error instanceof ApiError && error.kind === 'unauthorized') {
      const { generation } = await this.#connections.current();
      return generation > seen.refusedGeneration ? 0 : undefined;
    }
    if (request.retry === false) return undefined;
    return retryDelayMs({ request, error, failures, random: (this.#options.random ?? Math.random)() });
  }

  #translate(error: unknown, request: KubeRequest, deadline: Deadline): Error {
    if (error instanceof ApiError) return error;
    if (deadline.timedOut) {
      const ms = request.timeoutMs ?? defaultTimeoutMs;
      const message = `${aboutOf(request)}: no answer from the API server at ${this.config.server} within ${ms / 1000} s`;
      return new TransportError('timeout', message, { cause: error });
    }
    if (deadline.signal.aborted) {
      return new TransportError('aborted', `${aboutOf(request)} was given up`, { cause: deadline.signal.reason });
    }
    if (error instanceof KubeconfigError) return error;
    return toTransportError(error, this.config);
  }

  #openStream(answer: Dispatcher.ResponseData, destroy: () => Promise<void>, request: KubeRequest): KubeStream {
    const { signal } = request;
    const onAbort = (): void => void stream.close();
    const translate = (error: unknown): TransportError =>
      signal?.aborted === true || this.#closed
        ? new TransportError('aborted', `${aboutOf(request)} was given up`, { cause: signal?.reason ?? error })
        : toTransportError(error ?? new TransportError('aborted', `${aboutOf(request)} was given up`), this.config);
    const forget = (): void => {
      signal?.removeEventListener('abort', onAbort);
      this.#streams.delete(stream);
      destroy().catch(() => undefined);
    };
    const stream: KubeStream = {
      status: answer.statusCode,
      headers: answer.headers,
      body: streamBody(answer.body, translate, forget),
      async close() {
        this.body.destroy(signal?.aborted === true ? translate(undefined) : undefined);
        await destroy().catch(() => undefined);
      },
    };
    this.#streams.add(stream);
    signal?.addEventListener('abort', onAbort, { once: true });
    return stream;
  }

  #lane(name: LaneName): Lane {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const options = this.#options.lanes?.[name] ?? defaultLanes[name] ?? defaultLanes.default;
      lane = new Lane(name, options, this.#clock);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #decode(contentType: string | string[] | undefined, text: string, request: KubeRequest): unknown {
    if (typeof contentType === 'string' && !contentType.includes('json')) return text;
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      const message = `${aboutOf(request)}: the answer of ${this.config.server} is not JSON. Is this the address of an API server? See ${this.config.source}`;
      throw new TransportError('protocol', message, { cause });
    }
  }
}

const aboutOf = (request: KubeRequest): string => `${request.method} ${request.path}`;
