import { StreamError } from '../errors.ts';
import type { HeaderMap } from '../spdy/header-block.ts';
import { listed, negotiate } from '../upgrade/negotiate.ts';

/** The one sub-protocol of port-forwarding. */
export const portForwardProtocol = { name: 'portforward.k8s.io' } as const;

const webSocketProtocols = [
  /** The messages are pieces of a SPDY connection. */
  { name: 'SPDY/3.1+portforward.k8s.io', tunnel: true, base64: false },
  /** One connection to each port of the query, two channels for each. What clients other than kubectl speak. */
  { name: 'v4.channel.k8s.io', tunnel: false, base64: false },
  { name: 'v4.base64.channel.k8s.io', tunnel: false, base64: true },
  { name: '', tunnel: false, base64: false },
] as const;

/** @throws {StreamError} `handshake` */
export function negotiateWebSocket(header: string | undefined): (typeof webSocketProtocols)[number] {
  const offered = listed(header);
  return negotiate(offered.length === 0 ? [''] : offered, webSocketProtocols);
}

/** @throws {StreamError} `handshake` when the query names no port, or something else */
export function parsePorts(query: URLSearchParams): number[] {
  const names = query.getAll('port').flatMap((each) => each.split(','));
  if (names.length === 0) throw new StreamError('handshake', 'query parameter "port" is required', { status: 400 });
  return names.map((name) => {
    const port = parsePort(name);
    if (port !== undefined) return port;
    throw new StreamError('handshake', `unable to parse ${JSON.stringify(name)} as a port`, { status: 400 });
  });
}

/**
 * Each forwarded connection has two streams with the same request id. On the data stream are the bytes of the connection; on
 * the error stream the server says why it failed, or nothing.
 */
export type ForwardStreamType = 'data' | 'error';

export interface ForwardStreamHeaders {
  readonly type: ForwardStreamType;
  readonly port: number;
  /** Absent from very old clients. */
  readonly requestId: string | undefined;
}

export function formatForwardHeaders(type: ForwardStreamType, port: number, requestId: number): HeaderMap {
  return new Map([
    ['streamtype', type],
    ['port', String(port)],
    ['requestid', String(requestId)],
  ]);
}

/** Undefined for what is no stream of port-forwarding. */
export function parseForwardHeaders(headers: HeaderMap): ForwardStreamHeaders | undefined {
  const type = headers.get('streamtype');
  const port = parsePort(headers.get('port') ?? '');
  if ((type !== 'data' && type !== 'error') || port === undefined) return undefined;
  return { type, port, requestId: headers.get('requestid') };
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 0xff_ff ? port : undefined;
}

/** Without a request id the streams of one connection are consecutive: the error stream, then the data stream. */
export function pairKey({ type, requestId }: ForwardStreamHeaders, streamId: number): string {
  return requestId === undefined ? `stream ${type === 'error' ? streamId : streamId - 2}` : `request ${requestId}`;
}
