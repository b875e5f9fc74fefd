import type { Status, StatusDetails } from './generated/index.ts';

export type ApiErrorKind =
  | 'notFound'
  | 'alreadyExists'
  | 'conflict'
  | 'invalid'
  | 'forbidden'
  | 'unauthorized'
  | 'gone'
  | 'tooManyRequests'
  | 'serverError'
  | 'other';

/** The answer that an error stands for, for codes that vendors add to it and for the server's time. */
export interface ApiAnswer {
  /** The JSON object of the body; absent when it was something else or too large to keep. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** The header `Date`, in milliseconds since the epoch */
  readonly date?: number;
}

/** No server, and nobody who answers in its place, makes us wait longer than this at once. */
const longestRetryAfterMs = 60_000;

/** The API server answered, and the answer was no. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  /** HTTP status */
  readonly status: number;
  /** `reason` of the metav1.Status: machine-readable, CamelCase. Empty when the answer was no Status. */
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  /** As the server says, and at most a minute: a page about maintenance may ask for a day. */
  readonly retryAfterMs: number | undefined;
  /** Absent for errors that did not come as an answer, such as ERROR events of a watch. */
  readonly answer: ApiAnswer | undefined;

  constructor(
    message: string,
    init: {
      status: number;
      reason?: string;
      details?: StatusDetails | undefined;
      retryAfterMs?: number | undefined;
      answer?: ApiAnswer | undefined;
    },
  ) {
    super(message);
    this.status = init.status;
    this.reason = init.reason ?? '';
    this.details = init.details;
    this.retryAfterMs = bounded(init.retryAfterMs);
    this.answer = init.answer;
    this.kind = kindOf(this.status, this.reason);
  }

  /** From a Status, which comes as the body of an answer or as the object of a watch event of type ERROR. */
  static fromStatus(status: Status, about: string, retryAfterMs?: number, answer?: ApiAnswer): ApiError {
    const code = status.code ?? 500;
    const seconds = status.details?.retryAfterSeconds;
    return new ApiError(`${about}: ${status.message ?? status.reason ?? `status ${code}`}`, {
      status: code,
      reason: status.reason ?? '',
      details: status.details,
      retryAfterMs: retryAfterMs ?? (seconds === undefined || seconds === 0 ? undefined : seconds * 1000),
      answer,
    });
  }
}

function bounded(ms: number | undefined): number | undefined {
  return ms === undefined || !(ms >= 0) ? undefined : Math.min(ms, longestRetryAfterMs);
}

function kindOf(status: number, reason: string): ApiErrorKind {
  if (reason === 'AlreadyExists') return 'alreadyExists';
  if (reason === 'Expired') return 'gone';
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'notFound';
    case 409:
      return 'conflict';
    case 410:
      return 'gone';
    case 422:
      return 'invalid';
    case 429:
      return 'tooManyRequests';
    default:
      return status >= 500 ? 'serverError' : status === 400 ? 'invalid' : 'other';
  }
}

export type TransportErrorKind = 'unreachable' | 'tls' | 'timeout' | 'aborted' | 'protocol';

/** No answer came, or none that could be understood. The message names the server and what to do. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly kind: TransportErrorKind;
  /** True when the request certainly never reached the server, so that repeating it is safe whatever it was. */
  readonly unsent: boolean;

  constructor(kind: TransportErrorKind, message: string, options: { cause?: unknown; unsent?: boolean } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.kind = kind;
    this.unsent = options.unsent ?? false;
  }
}

/** A kubeconfig, or the files of a service account, cannot be used. The message names the file and what to do. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

const isKind = (error: unknown, kind: ApiErrorKind): error is ApiError =>
  error instanceof ApiError && error.kind === kind;

export const isNotFound = (error: unknown): error is ApiError => isKind(error, 'notFound');
export const isAlreadyExists = (error: unknown): error is ApiError => isKind(error, 'alreadyExists');
export const isConflict = (error: unknown): error is ApiError => isKind(error, 'conflict');
export const isInvalid = (error: unknown): error is ApiError => isKind(error, 'invalid');
export const isForbidden = (error: unknown): error is ApiError => isKind(error, 'forbidden');
export const isUnauthorized = (error: unknown): error is ApiError => isKind(error, 'unauthorized');
export const isGone = (error: unknown): error is ApiError => isKind(error, 'gone');
export const isTooManyRequests = (error: unknown): error is ApiError => isKind(error, 'tooManyRequests');
export const isAborted = (error: unknown): boolean =>
  (error instanceof TransportError && error.kind === 'aborted') ||
  (error instanceof Error && error.name === 'AbortError');

/** The same request may succeed later without anybody changing anything: server trouble, throttling, no connection. */
export const isRetryable = (error: unknown): boolean =>
  error instanceof ApiError
    ? error.kind === 'tooManyRequests' || error.kind === 'serverError' || error.status === 408
    : error instanceof TransportError && error.kind !== 'aborted' && error.kind !== 'tls';

/** What a message for people says of something that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
