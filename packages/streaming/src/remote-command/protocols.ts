import { listed, negotiate, negotiateSpdy } from '../upgrade/negotiate.ts';

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
 * @param header `X-Stream-Protocol-Version`, several of them joined by commas
 * @throws {StreamError} `handshake`
 */
export function negotiateRemoteCommand(header: string | string[] | undefined): Protocol {
  return negotiateSpdy(header, spdyProtocols);
}

/**
 * @param header `Sec-WebSocket-Protocol`; without one it is the first protocol, which has no name
 * @throws {StreamError} `handshake`
 */
export function negotiateWebSocket(header: string | undefined): WebSocketProtocol {
  const offered = listed(header);
  return negotiate(offered.length === 0 ? [''] : offered, webSocketProtocols);
}

/** What a client could ask for. */
export const acceptedSpdyProtocols: readonly string[] = spdyProtocols.map(({ name }) => name);
