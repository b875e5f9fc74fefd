import { StreamError } from '../errors.ts';

export interface Protocol {
  readonly name: string;
  /** The error stream carries a metav1.Status, from v4 on; before, a sentence. */
  readonly structuredStatus: boolean;
  /** There is a stream of terminal sizes, from v3 on. */
  readonly resize: boolean;
}

export interface WebSocketProtocol extends Protocol {
  readonly base64: boolean;
  /** `[255, channel]` closes a channel, from v5 on; before, stdin had no end. */
  readonly halfClose: boolean;
}

/** Over SPDY v5 is the same as v4; kubelet and container runtimes answer v4, and so do we. */
const spdyProtocols: readonly Protocol[] = [
  { name: 'v4.channel.k8s.io', structuredStatus: true, resize: true },
  { name: 'v3.channel.k8s.io', structuredStatus: false, resize: true },
  { name: 'v2.channel.k8s.io', structuredStatus: false, resize: false },
  { name: 'channel.k8s.io', structuredStatus: false, resize: false },
];

const webSocketProtocols: readonly WebSocketProtocol[] = [
  { name: 'v5.channel.k8s.io', structuredStatus: true, resize: true, base64: false, halfClose: true },
  { name: 'v4.channel.k8s.io', structuredStatus: true, resize: true, base64: false, halfClose: false },
  { name: 'v4.base64.channel.k8s.io', structuredStatus: true, resize: true, base64: true, halfClose: false },
  { name: 'channel.k8s.io', structuredStatus: false, resize: true, base64: false, halfClose: false },
  { name: 'base64.channel.k8s.io', structuredStatus: false, resize: true, base64: true, halfClose: false },
  { name: '', structuredStatus: false, resize: true, base64: false, halfClose: false },
];

/**
 * The first of the client's protocols that we know.
 *
 * @param header `X-Stream-Protocol-Version`, several of them joined by commas
 * @throws {StreamError} `handshake`
 */
export function negotiateSpdy(header: string | undefined): Protocol {
  const offered = split(header);
  if (offered.length === 0) {
    const message = 'unable to upgrade: the header X-Stream-Protocol-Version is missing';
    throw new StreamError('handshake', message, { status: 400 });
  }
  return choose(offered, spdyProtocols);
}

/**
 * @param header `Sec-WebSocket-Protocol`; without one it is the first protocol, which has no name
 * @throws {StreamError} `handshake`
 */
export function negotiateWebSocket(header: string | undefined): WebSocketProtocol {
  const offered = split(header);
  return choose(offered.length === 0 ? [''] : offered, webSocketProtocols);
}

/** For the header that tells a refused client what it could ask for. */
export function acceptedSpdyProtocols(): string {
  return spdyProtocols.map((protocol) => protocol.name).join(', ');
}

function choose<P extends Protocol>(offered: readonly string[], known: readonly P[]): P {
  for (const name of offered) {
    const found = known.find((protocol) => protocol.name === name);
    if (found !== undefined) return found;
  }
  const names = known.map((protocol) => protocol.name || '""').join(', ');
  const message = `unable to upgrade: unable to negotiate protocol: client supports ${offered.join(', ')}, server accepts ${names}`;
  throw new StreamError('handshake', message, { status: 403 });
}

function split(header: string | undefined): string[] {
  return (header ?? '').split(',').flatMap((name) => name.trim() || []);
}
