import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { acceptUpgrade, switchToSpdy } from '../upgrade/accept.ts';
import { negotiateSpdy } from '../upgrade/negotiate.ts';
import { tunnelOf } from '../websocket/tunnel.ts';
import { upgradeWebSocket } from '../websocket/upgrade.ts';
import { serveChannels } from './channel-session.ts';
import { negotiateWebSocket, parsePorts, portForwardProtocol } from './protocol.ts';
import type { PortForwardOptions, PortForwardSession } from './session.ts';
import { serveSpdy } from './spdy-session.ts';

/**
 * Turns an upgrade request (arguments of the server's `upgrade` event) into a session, over SPDY/3.1, over a WebSocket that
 * carries it, or over the channels of one, as the client asks. The caller has authorised the request. When it fails the client has its answer and the
 * socket is closed.
 *
 * @throws {StreamError} `handshake`, `closed`
 */
export function acceptPortForward(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: PortForwardOptions,
): Promise<PortForwardSession> {
  return acceptUpgrade(
    request,
    socket,
    { signal: options.signal, accepted: [portForwardProtocol.name] },
    {
      async webSocket() {
        const protocol = negotiateWebSocket(request.headers['sec-websocket-protocol']);
        const ports = protocol.tunnel ? [] : parsePorts(new URL(request.url ?? '/', 'http://localhost').searchParams);
        return await upgradeWebSocket(request, socket, head, protocol.name, (ws) =>
          protocol.tunnel
            ? serveSpdy(tunnelOf(ws), Buffer.alloc(0), options)
            : serveChannels(ws, protocol.base64, ports, options),
        );
      },
      async spdy() {
        const { name } = negotiateSpdy(request.headers['x-stream-protocol-version'], [portForwardProtocol]);
        switchToSpdy(socket, name);
        return serveSpdy(socket, head, options);
      },
    },
  );
}
