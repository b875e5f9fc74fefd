import { createHash, createHmac } from 'node:crypto';

// SDK-HMAC-SHA256, the signature of Huawei Cloud's API gateway. It has no nonce: equal requests of one second are signed
// equally. https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html

export interface AccessKey {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Comes with temporary keys. */
  readonly securityToken?: string | undefined;
}

export interface RequestToSign {
  readonly method: string;
  /** With the query, as it is sent. It stays so: only the signature's copy of the query is sorted. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

const algorithm = 'SDK-HMAC-SHA256';

/**
 * What proxies may change or drop on the way (hop-by-hop headers among it), and what the WebSocket handshake owns, is not
 * signed: a signature that breaks on the way is a refused key for the gateway.
 */
const unsigned = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

const isSigned = (name: string): boolean => !unsigned.has(name) && !name.startsWith('sec-websocket-');

/** The headers to add to a request. `date` is the time of the gateway, which accepts 15 minutes more or less. */
export function signRequest(
  request: RequestToSign,
  { accessKey, secretKey, securityToken }: AccessKey,
  { date, projectId }: { readonly date: Date; readonly projectId?: string | undefined },
): Record<string, string> {
  const added: Record<string, string> = {
    'x-sdk-date': date.toISOString().replaceAll(/[-:]|\.\d+/g, ''),
    ...(projectId !== undefined && { 'x-project-id': projectId }),
    ...(securityToken !== undefined && { 'x-security-token': securityToken }),
  };
  const headers = new Map(
    Object.entries({ ...request.headers, ...added })
      .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
      .toSorted(([a], [b]) => byBytes(a, b)),
  );
  const [path = '', query = ''] = splitOnce(request.path, '?');
  const signed = [...headers].filter(([name]) => isSigned(name));
  const signedNames = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method.toUpperCase(),
    canonicalPath(path),
    canonicalQuery(query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    signedNames,
    payloadHash(request.body, headers),
  ].join('\n');
  const toSign = [algorithm, added['x-sdk-date'], sha256(canonical)].join('\n');
  const signature = createHmac('sha256', secretKey).update(toSign).digest('hex');
  return {
    ...added,
    authorization: `${algorithm} Access=${accessKey}, SignedHeaders=${signedNames}, Signature=${signature}`,
  };
}

/** What follows the head of an upgrade is not its payload. */
function payloadHash(body: RequestToSign['body'], headers: ReadonlyMap<string, string>): string {
  const given = headers.get('x-sdk-content-sha256');
  if (given !== undefined) return given;
  return sha256(headers.has('upgrade') || body === null ? '' : body);
}

/** Ends with a slash, also where the path does not. */
function canonicalPath(path: string): string {
  const escaped = path
    .split('/')
    .map((segment) => escapeText(decoded(segment)))
    .join('/');
  return escaped.endsWith('/') ? escaped : `${escaped}/`;
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .toSorted(([a, x], [b, y]) => byBytes(a, b) || byBytes(x, y))
    .map(([key, value]) => `${escapeText(key)}=${escapeText(value)}`)
    .join('&');
}

/** RFC 3986: everything but letters, digits and "-_.~" */
const escapeText = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
