import { doubledMs } from '../backoff.ts';
import { ApiError, TransportError } from '../errors.ts';
import type { KubeRequest } from './request.ts';

export interface RetryQuestion {
  readonly request: Pick<KubeRequest, 'method' | 'contentType'>;
  readonly error: unknown;
  /** How many attempts have failed, this one included */
  readonly failures: number;
  /** 0 ≤ random < 1 */
  readonly random: number;
}

const maxThrottled = 10;
const maxFailed = 5;
const firstDelayMs = 100;
const maxDelayMs = 5_000;

/**
 * Milliseconds to wait before the same request may be sent again; undefined: give up. Safe are: a request that was
 * refused by flow control (429 with Retry-After), one that never left, one that changes nothing, and one that has the
 * same effect when done twice and was turned away (503).
 */
export function retryDelayMs({ request, error, failures, random }: RetryQuestion): number | undefined {
  if (error instanceof ApiError) {
    if (error.kind === 'tooManyRequests') {
      // Without the header it is an answer of the application: eviction says so that a disruption budget forbids it.
      if (error.retryAfterMs === undefined || failures >= maxThrottled) return undefined;
      return error.retryAfterMs * (1 + random / 10);
    }
    if (error.status !== 503 || !isIdempotent(request) || failures >= maxFailed) return undefined;
    return Math.max(error.retryAfterMs ?? 0, backOff(failures, random));
  }
  if (error instanceof TransportError && error.kind === 'unreachable' && failures < maxFailed) {
    return error.unsent || isSafe(request) ? backOff(failures, random) : undefined;
  }
  return undefined;
}

const backOff = (failures: number, random: number): number =>
  doubledMs(failures, { firstMs: firstDelayMs, maxMs: maxDelayMs }) * (0.5 + random);

const isSafe = ({ method }: RetryQuestion['request']): boolean => method === 'GET' || method === 'HEAD';

/** A JSON patch may append to a list, and a second apply or merge changes nothing more. */
const isIdempotent = ({ method, contentType }: RetryQuestion['request']): boolean =>
  isSafe({ method }) ||
  method === 'PUT' ||
  method === 'DELETE' ||
  (method === 'PATCH' && contentType !== 'application/json-patch+json');
