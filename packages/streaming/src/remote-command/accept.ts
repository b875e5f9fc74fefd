import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { StreamError } from '../errors.ts';
import { refuseUpgrade } from '../http-answer.ts';
import { acceptedSpdyProtocols, negotiateSpdy, negotiateWebSocket } from './protocols.ts';
import type { AcceptOptions, RemoteSession } from './session.ts';
import { acceptSpdy } from './spdy-session.ts';
import { acceptWebSocket } from './websocket-session.ts';

/**
 * Turns an upgrade request (arguments of the server's `upgrade` event) into a session, over SPDY/3.1 or WebSocket as the
 * client asks. The caller has authorised the request. When it fails the client has its answer and the socket is closed.
 *
 * @throws {StreamError} `handshake`, `timeout` when the client does not open its streams, `closed`
 */
export async function acceptRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
): Promise<RemoteSession> {
  socket.on('error', () => {});
  const upgrade = request.headers.upgrade?.toLowerCase() ?? '';
  try {
    options.signal?.throwIfAborted();
    if (socket.destroyed) throw new StreamError('closed', 'the client closed the connection');
    if (upgrade === 'websocket') {
      const protocol = negotiateWebSocket(request.headers['sec-websocket-protocol']);
      return await acceptWebSocket(request, socket, head, protocol, options);
    }
    if (!upgrade.includes('spdy/3.1')) {
      const message = `unable to upgrade: the header Upgrade asks for ${JSON.stringify(upgrade)}, known are SPDY/3.1 and websocket`;
      throw new StreamError('handshake', message, { status: 400 });
    }
    const versions = request.headers['x-stream-protocol-version'];
    const protocol = negotiateSpdy(Array.isArray(versions) ? versions.join(',') : versions);
    return await acceptSpdy(socket, head, protocol, options);
  } catch (error) {
    if (error instanceof StreamError && error.kind === 'handshake') {
      const accepted = { 'X-Accepted-Stream-Protocol-Versions': acceptedSpdyProtocols() };
      refuseUpgrade(socket, error.status ?? 400, error.message, accepted);
    } else {
      socket.destroy();
    }
    throw error;
  }
}
