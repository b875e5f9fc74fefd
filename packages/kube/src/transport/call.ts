import { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { ClusterConfig } from '../config/cluster-config.ts';
import type { Credentials } from '../config/credentials.ts';
import { ApiError, KubeconfigError, TransportError, errorMessage } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Connection, Connections } from './connections.ts';
import { Deadline } from './deadline.ts';
import { type EncodedRequest, encodeRequest } from './encode.ts';
import type { Lane } from './lanes.ts';
import type { KubeRequest, RequestRecord } from './request.ts';
import { retryDelayMs } from './retry.ts';
import type { SharedRate } from './shared-rate.ts';
import { signedHeaders } from './sign.ts';
import { toTransportError } from './transport-errors.ts';

/** What all calls of a client share. */
export interface CallContext {
  readonly config: ClusterConfig;
  readonly connections: Connections;
  readonly lane: (name: string) => Lane;
  readonly rate: SharedRate | undefined;
  readonly pathPrefix: string;
  readonly userAgent: string;
  readonly remedyOf: (error: ApiError) => string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onRequest: (record: RequestRecord) => void;
  readonly beforeSend: () => void;
}

/** One attempt: sends and answers, or throws whatever the layers below throw. */
export type Send<R> = (
  connection: Connection,
  request: EncodedRequest & { readonly signal: AbortSignal },
) => Promise<{ readonly status: number; readonly value: R }>;

export const aboutOf = (request: KubeRequest): string => `${request.method} ${request.path}`;

/** One request of a user: its attempts, the pauses between them, and the time that they may take together. */
export class Call<R> {
  readonly #request: KubeRequest;
  readonly #context: CallContext;
  readonly #send: Send<R>;
  readonly #encoded: EncodedRequest;
  readonly #timeoutMs: number;
  readonly #startedAt: number;
  readonly #deadline: Deadline;
  /** The credentials that the server last answered 401 to */
  #refusedGeneration = -1;

  constructor(request: KubeRequest, context: CallContext, send: Send<R>) {
    this.#request = request;
    this.#context = context;
    this.#send = send;
    this.#encoded = encodeRequest(request, context.pathPrefix, context.userAgent);
    this.#timeoutMs = request.timeoutMs ?? context.timeoutMs;
    this.#startedAt = context.clock.now();
    this.#deadline = new Deadline(this.#timeoutMs, request.signal);
  }

  abort(reason: unknown): void {
    this.#deadline.abort(reason);
  }

  /** @throws ApiError, TransportError, KubeconfigError */
  async run(): Promise<R> {
    const { clock, logger } = this.#context;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#attempt(attempt);
        } catch (cause) {
          const error = this.#translate(cause);
          const waitMs = await this.#retryDelayMs(error, attempt);
          const leftMs = this.#startedAt + this.#timeoutMs - clock.now();
          if (waitMs === undefined || waitMs >= leftMs || this.#deadline.signal.aborted) throw error;
          logger.debug({ err: error, attempt, waitMs }, `retrying ${aboutOf(this.#request)}`);
          await clock.sleep(waitMs, this.#deadline.signal);
        }
      }
    } finally {
      this.#deadline.end();
    }
  }

  async #attempt(attempt: number): Promise<R> {
    const { clock, config, connections, onRequest, rate } = this.#context;
    const { method, resource = '', lane: laneName = 'default' } = this.#request;
    const { signal } = this.#deadline;
    const lane = this.#context.lane(laneName);
    const queuedAt = clock.now();
    await lane.acquire(signal);
    let sentAt = clock.now();
    let status = 0;
    try {
      await rate?.acquire(laneName, signal);
      sentAt = clock.now();
      const connection = await connections.current();
      const headers = await signedHeaders(config, this.#encoded, [...this.#encoded.headers, ...connection.headers]);
      this.#askBeforeSending();
      try {
        const answer = await this.#send(connection, { ...this.#encoded, headers, signal });
        status = answer.status;
        return answer.value;
      } catch (error) {
        if (error instanceof ApiError) {
          status = error.status;
          if (status === 401) this.#refused(error, connection);
          if (status === 429) rate?.throttled(error.retryAfterMs);
          const remedy = this.#context.remedyOf(error);
          if (remedy !== undefined) error.message += `. ${remedy}`;
        }
        throw error;
      }
    } finally {
      lane.release();
      const durationMs = clock.now() - sentAt;
      onRequest({ method, resource, lane: laneName, status, attempt, durationMs, queuedMs: sentAt - queuedAt });
    }
  }

  #askBeforeSending(): void {
    try {
      this.#context.beforeSend();
    } catch (cause) {
      const why = errorMessage(cause);
      throw new TransportError('aborted', `${aboutOf(this.#request)} was not sent: ${why}`, { cause, unsent: true });
    }
  }

  /** The credentials may have been rotated since they were read. */
  #refused(error: ApiError, { generation, credentials }: Connection): void {
    const { config, clock } = this.#context;
    if (this.#refusedGeneration !== generation) config.credentials.invalidate?.(generation, error);
    this.#refusedGeneration = generation;
    error.message += expiredCertificateHint(credentials, clock.now(), config.source);
  }

  async #retryDelayMs(error: Error, failures: number): Promise<number | undefined> {
    if (error instanceof ApiError && error.kind === 'unauthorized') {
      const { generation } = await this.#context.connections.current();
      return generation > this.#refusedGeneration ? 0 : undefined;
    }
    if (this.#request.retry === false) return undefined;
    return retryDelayMs({ request: this.#request, error, failures, random: this.#context.random() });
  }

  #translate(error: unknown): Error {
    const { config } = this.#context;
    const about = aboutOf(this.#request);
    if (error instanceof ApiError || error instanceof KubeconfigError || isUnsentByUs(error)) return error;
    if (this.#deadline.timedOut) {
      const message = `${about}: no answer from the API server at ${config.server} within ${this.#timeoutMs / 1000} s`;
      return new TransportError('timeout', message, { cause: error });
    }
    if (this.#deadline.signal.aborted) {
      return new TransportError('aborted', `${about} was cancelled`, { cause: this.#deadline.signal.reason });
    }
    return toTransportError(error, config);
  }
}

const isUnsentByUs = (error: unknown): error is TransportError =>
  error instanceof TransportError && error.kind === 'aborted' && error.unsent;

/** The API server answers "Unauthorized" to an expired client certificate and does not say why. This does. */
function expiredCertificateHint({ clientCert }: Credentials, now: number, source: string): string {
  if (clientCert === undefined) return '';
  try {
    const { validTo, validToDate } = new X509Certificate(clientCert);
    return validToDate.getTime() < now ? ` (the client certificate of ${source} expired on ${validTo})` : '';
  } catch {
    return '';
  }
}
