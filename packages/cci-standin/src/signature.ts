import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A request as it came over the wire. Names of headers are in lower case. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, undecoded */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface SignatureClaim {
  readonly accessKey: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const algorithm = 'SDK-HMAC-SHA256';
const windowMs = 15 * 60_000;

/** What an Authorization header claims; undefined when it is none of this algorithm. */
export function readClaim(authorization: string | undefined): SignatureClaim | undefined {
  const [, accessKey, names, signature] =
    /^SDK-HMAC-SHA256 Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization ?? '',
    ) ?? [];
  if (accessKey === undefined || names === undefined || signature === undefined) return undefined;
  return { accessKey, signedHeaders: names.split(';'), signature };
}

/** Whether a date like 20060102T150405Z is at most 15 minutes away from `now`. */
export function isTimely(date: string | undefined, now: number): boolean {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '');
  if (parts === null) return false;
  const [year = 0, month = 0, day, hour, minute, second] = parts.slice(1).map(Number);
  return Math.abs(Date.UTC(year, month - 1, day, hour, minute, second) - now) <= windowMs;
}

export function isSignedBy(secretKey: string, claim: SignatureClaim, request: SignedRequest): boolean {
  if (!claim.signedHeaders.includes('x-sdk-date') || !bodyMatches(request)) return false;
  const signature = signatureOf(secretKey, claim.signedHeaders, request);
  return timingSafeEqual(Buffer.from(signature), Buffer.from(claim.signature));
}

/** @param signedHeaders in lower case and sorted, as the Authorization header says them */
export function signatureOf(secretKey: string, signedHeaders: readonly string[], request: SignedRequest): string {
  const toSign = [algorithm, header(request, 'x-sdk-date'), sha256(canonicalRequest(signedHeaders, request))].join(
    '\n',
  );
  return createHmac('sha256', secretKey).update(toSign).digest('hex');
}

function canonicalRequest(signedHeaders: readonly string[], request: SignedRequest): string {
  const [path = '', ...rest] = request.target.split('?');
  return [
    request.method.toUpperCase(),
    canonicalPath(path),
    canonicalQuery(rest.join('?')),
    signedHeaders.map((name) => `${name}:${header(request, name).trim()}\n`).join(''),
    signedHeaders.join(';'),
    payloadHash(request),
  ].join('\n');
}

function canonicalPath(path: string): string {
  const canonical = path.split('/').map(decode).map(escape).join('/');
  return canonical.endsWith('/') ? canonical : `${canonical}/`;
}

/** Keys in order, the values of each key in order: the wire's order of repeated keys does not matter. */
function canonicalQuery(query: string): string {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [key = '', ...value] = part.split('=');
      return { key: decodeQuery(key), value: decodeQuery(value.join('=')) };
    })
    .toSorted((a, b) => order(a.key, b.key) || order(a.value, b.value))
    .map(({ key, value }) => `${escape(key)}=${escape(value)}`)
    .join('&');
}

function payloadHash(request: SignedRequest): string {
  return header(request, 'x-sdk-content-sha256') || sha256(request.body);
}

/** A hash that the client sent is signed as it is, but it has to be the body's. */
function bodyMatches(request: SignedRequest): boolean {
  const claimed = header(request, 'x-sdk-content-sha256');
  return claimed === '' || claimed === 'UNSIGNED-PAYLOAD' || claimed === sha256(request.body);
}

function header(request: SignedRequest, name: string): string {
  const value = request.headers[name] ?? '';
  return typeof value === 'string' ? value : value.join(',');
}

function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function decodeQuery(text: string): string {
  return decode(text.replaceAll('+', ' '));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Everything but A-Z a-z 0-9 - _ . ~ */
function escape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
