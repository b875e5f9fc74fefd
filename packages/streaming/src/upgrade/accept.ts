import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StreamError } from '../errors.ts';
import { setNoDelay } from '../tcp.ts';
import { refuseUpgrade } from './refuse.ts';

export interface UpgradeOptions {
  /** Without any traffic, pings included, for this long the connection is closed; default 4 h, as the kubelet's. */
  readonly idleTimeoutMs?: number;
  /** How long the client may take to open its streams; default 30 s, as the kubelet's. */
  readonly creationTimeoutMs?: number;
  /** Ends everything at once. */
  readonly signal?: AbortSignal;
}

/** As the kubelet's. */
export const defaultCreationTimeoutMs = 30_000;

/**
 * Does what the client's `Upgrade` header asks for. When it fails the client has its answer and the socket is closed.
 *
 * @param accepted sub-protocols over SPDY, for a client that asks for others
 * @throws {StreamError} `handshake`, `closed`
 */
export async function acceptUpgrade<T>(
  request: IncomingMessage,
  socket: Duplex,
  { signal, accepted }: { readonly signal?: AbortSignal | undefined; readonly accepted: readonly string[] },
  by: { readonly spdy: () => Promise<T>; readonly webSocket: () => Promise<T> },
): Promise<T> {
  socket.on('error', () => {});
  const upgrade = request.headers.upgrade?.toLowerCase() ?? '';
  try {
    signal?.throwIfAborted();
    if (socket.destroyed) throw new StreamError('closed', 'the client closed the connection');
    if (upgrade === 'websocket') return await by.webSocket();
    if (upgrade.includes('spdy/3.1')) return await by.spdy();
    const message = `unable to upgrade: the header Upgrade asks for ${JSON.stringify(upgrade)}, known are SPDY/3.1 and websocket`;
    throw new StreamError('handshake', message, { status: 400 });
  } catch (error) {
    if (error instanceof StreamError && error.kind === 'handshake') {
      const headers = { 'X-Accepted-Stream-Protocol-Versions': accepted.join(', ') };
      refuseUpgrade(socket, error.status ?? 400, error.message, headers);
    } else {
      socket.destroy();
    }
    throw error;
  }
}

/** Tells the client that from now on the connection speaks SPDY. */
export function switchToSpdy(socket: Duplex, protocol: string): void {
  setNoDelay(socket);
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  socket.write([...lines, `X-Stream-Protocol-Version: ${protocol}`, '', ''].join('\r\n'));
}
