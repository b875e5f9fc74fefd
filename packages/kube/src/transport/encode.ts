import type { KubeRequest, QueryValue } from './request.ts';

/** A request as undici takes it, made once for all attempts. */
export interface EncodedRequest {
  readonly method: KubeRequest['method'];
  readonly path: string;
  readonly headers: string[];
  readonly body: string | Uint8Array | null;
  /** Keeps the connection: otherwise undici gives it up after every DELETE with a body, which is what deletions have. */
  readonly reset: false;
}

export function encodeRequest(request: KubeRequest, pathPrefix: string, userAgent: string): EncodedRequest {
  const { method, body, query } = request;
  const headers = ['accept', request.accept ?? 'application/json', 'user-agent', userAgent];
  if (body !== undefined) headers.push('content-type', request.contentType ?? 'application/json');
  headers.push(...Object.entries(request.headers ?? {}).flat());
  const path = pathPrefix + request.path + encodeQuery(query);
  return { method, path, headers, body: encodeBody(body), reset: false };
}

function encodeBody(body: unknown): string | Uint8Array | null {
  if (body === undefined) return null;
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}

export function encodeQuery(query: Readonly<Record<string, QueryValue>> | undefined): string {
  if (query === undefined) return '';
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) params.append(key, String(item));
  }
  return params.size === 0 ? '' : `?${params.toString()}`;
}
