import type { Readable } from 'node:stream';
import type { LaneName } from './lanes.ts';

export type QueryValue = string | number | boolean | readonly string[] | undefined;

export interface KubeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** "/api/v1/namespaces/default/pods", already escaped */
  readonly path: string;
  /** Undefined values are left out; a list repeats the key. */
  readonly query?: Readonly<Record<string, QueryValue>> | undefined;
  /** Sent as JSON, unless it is a string or bytes */
  readonly body?: unknown;
  /** Default: application/json */
  readonly contentType?: string | undefined;
  /** Default: application/json */
  readonly accept?: string | undefined;
  /** More headers, names in lower case */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly lane?: LaneName | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For all attempts together, waiting for the lane included; for streams: until the headers. Default: the client's, 30 s */
  readonly timeoutMs?: number | undefined;
  /** Default: true. False: the first failure is the answer, for callers with a back-off of their own. */
  readonly retry?: boolean | undefined;
  /** Reads an answer of success that is JSON. @throws SyntaxError. Default: JSON.parse */
  readonly parse?: ((text: string) => unknown) | undefined;
  /** What metrics call it: "pods", "pods/status". Default: empty */
  readonly resource?: string | undefined;
}

export interface KubeStream {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Ends when the server ends it; is destroyed with a TransportError when the connection breaks or the request's signal is aborted. */
  readonly body: Readable;
  /** Drops the connection. May be called twice. */
  close(): Promise<void>;
}

/** One finished attempt, for metrics. */
export interface RequestRecord {
  readonly method: KubeRequest['method'];
  readonly resource: string;
  readonly lane: LaneName;
  /** HTTP status; 0 when none came */
  readonly status: number;
  /** 1 for the first */
  readonly attempt: number;
  /** From sending to the end of the answer (for streams: to its headers) */
  readonly durationMs: number;
  /** Time spent waiting for the lane before the attempt */
  readonly queuedMs: number;
}

/** What the typed resources need of a client. */
export interface Requester {
  request<T>(request: KubeRequest): Promise<T>;
  stream(request: KubeRequest): Promise<KubeStream>;
}
