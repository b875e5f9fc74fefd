import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptUpgrade } from '../upgrade/accept.ts';
import { acceptedSpdyProtocols, negotiateRemoteCommand, negotiateWebSocket } from './protocols.ts';
import { type AcceptOptions, type RemoteSession, Session } from './session.ts';
import { spdyCarrier } from './spdy-carrier.ts';
import { webSocketCarrier } from './websocket-carrier.ts';

/**
 * Turns an upgrade request (arguments of the server's `upgrade` event) into a session, over SPDY/3.1 or WebSocket as the
 * client asks. The caller has authorised the request. When it fails the client has its answer and the socket is closed.
 *
 * @throws {StreamError} `handshake`, `timeout` when the client does not open its streams, `closed`
 */
export function acceptRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
): Promise<RemoteSession> {
  const { tty } = options.streams;
  return acceptUpgrade(
    request,
    socket,
    { signal: options.signal, accepted: acceptedSpdyProtocols },
    {
      async webSocket() {
        const protocol = negotiateWebSocket(request.headers['sec-websocket-protocol']);
        return new Session(protocol, tty, await webSocketCarrier(request, socket, head, protocol, options));
      },
      async spdy() {
        const protocol = negotiateRemoteCommand(request.headers['x-stream-protocol-version']);
        return new Session(protocol, tty, await spdyCarrier(socket, head, protocol, options));
      },
    },
  );
}
