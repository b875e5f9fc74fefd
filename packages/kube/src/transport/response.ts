import { ApiError } from '../errors.ts';
import type { Status } from '../generated/index.ts';
import { parseJson } from '../json.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The error that an answer with a status of 400 and above stands for. `about`: method and path. */
export function toApiError(status: number, headers: ResponseHeaders, text: string, about: string): ApiError {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const body = parseStatus(text);
  if (body !== undefined) return ApiError.fromStatus({ ...body, code: status }, about, retryAfterMs);
  // Not the API server itself speaks, but a proxy, or a handler before the API machinery.
  const line = text.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
  return new ApiError(`${about}: status ${status}${line === '' ? '' : `: ${line}`}`, { status, retryAfterMs });
}

function parseStatus(text: string): Status | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value = parseJson<Partial<Status>>(text);
    return value.kind === 'Status' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, as the API server sends it; a date (which proxies may send) counts as one second. */
function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 1000;
}
