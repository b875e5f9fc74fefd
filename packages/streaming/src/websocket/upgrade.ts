import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { StreamError } from '../errors.ts';

/** Longest message of a client; Kubernetes' own send 32 KiB at most. */
const maxMessageBytes = 4 * 1024 * 1024;

/**
 * @param protocol the sub-protocol that was chosen, perhaps the one without a name
 * @param onOpen is called before the first message can come in
 * @throws {StreamError} `handshake`, `closed`
 */
export function upgradeWebSocket<T>(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string,
  onOpen: (ws: WebSocket) => T,
): Promise<T> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: () => protocol,
  });
  if (protocol.includes('/')) {
    // Kubernetes has sub-protocols with a slash in them, which no header may have and `ws` does not let pass.
    delete request.headers['sec-websocket-protocol'];
    server.on('headers', (headers) => void headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  }
  return new Promise((resolve, reject) => {
    server.once('wsClientError', (cause) => {
      reject(new StreamError('handshake', `unable to upgrade: ${cause.message}`, { status: 400, cause }));
    });
    socket.once('close', () => reject(new StreamError('closed', 'the connection was lost')));
    // Messages may come in before a promise would be continued.
    server.handleUpgrade(request, socket, head, (ws) => resolve(onOpen(ws)));
  });
}
