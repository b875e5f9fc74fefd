import { type ApiAnswer, ApiError } from '../errors.ts';
import type { Status } from '../generated/index.ts';
import { parseJson } from '../json.ts';

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Errors are kept for a while, by those who retry and in logs, so a larger body is not kept with them. */
const longestKeptBody = 16 * 1024;
const longestLine = 200;

/** The error that an answer with a status of 400 and above stands for. `about`: method and path. */
export function toApiError(status: number, headers: ResponseHeaders, text: string, about: string): ApiError {
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const body = parseObject(text);
  const answer: ApiAnswer = { ...keptBody(body, text), ...dateOf(headers['date']) };
  if (isStatus(body)) return ApiError.fromStatus({ ...body, code: status }, about, retryAfterMs, answer);
  // Not the API server itself speaks, but a gateway, a proxy, or a handler before the API machinery.
  const line = gatewayError(body) ?? text.trim().split('\n', 1)[0]?.slice(0, longestLine) ?? '';
  const message = `${about}: status ${status}${line === '' ? '' : `: ${line}`}`;
  return new ApiError(message, { status, retryAfterMs, answer });
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return parseJson<JsonObject>(text);
  } catch {
    return undefined;
  }
}

const isStatus = (body: JsonObject | undefined): body is JsonObject & Status => body?.['kind'] === 'Status';

const keptBody = (body: JsonObject | undefined, text: string): Pick<ApiAnswer, 'body'> =>
  body === undefined || text.length > longestKeptBody ? {} : { body };

/** API gateways in front of a server: `{"error_code":"APIGW.0301","error_msg":"…","request_id":"…"}`. */
function gatewayError(body: JsonObject | undefined): string | undefined {
  const code = textIn(body, 'error_code');
  const message = textIn(body, 'error_msg');
  const id = textIn(body, 'request_id');
  const said = code !== '' && message !== '' ? `${message} (${code})` : message + code;
  if (said === '') return undefined;
  return `${said.slice(0, longestLine)}${id === '' ? '' : `, request ${id.slice(0, 64)}`}`;
}

function textIn(body: JsonObject | undefined, field: string): string {
  const value = body?.[field];
  return typeof value === 'string' ? value : '';
}

export function dateOf(header: string | string[] | undefined): Pick<ApiAnswer, 'date'> {
  const date = typeof header === 'string' ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? {} : { date };
}

/** Seconds, as the API server sends it; a date (which proxies may send) counts as one second. */
function parseRetryAfter(header: string | string[] | undefined): number | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  if (value === undefined) return undefined;
  const seconds = Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : 1000;
}
