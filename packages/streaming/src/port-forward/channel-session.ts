import type { WebSocket } from 'ws';
import { endAndFlush } from '../socket-end.ts';
import { ChannelSocket } from '../websocket/channel-socket.ts';
import type { PortForwardOptions, PortForwardSession } from './session.ts';

/**
 * One connection to each port: on channel 2n its bytes, on channel 2n+1 why it failed. What the server sends on either begins
 * with the port, in 16 bits, little-endian. No direction can be ended without the other, and the session ends with its last
 * connection.
 */
export function serveChannels(
  ws: WebSocket,
  base64: boolean,
  ports: readonly number[],
  options: PortForwardOptions,
): PortForwardSession {
  const socket = new ChannelSocket(ws, { ...options, base64, halfClose: false });
  let open = ports.length;
  for (const [index, port] of ports.entries()) {
    const data = 2 * index;
    const readable = socket.incoming(data);
    const writable = socket.outgoing(data);
    const error = socket.outgoing(data + 1);
    for (const stream of [writable, error]) stream.write(littleEndian(port));
    let finished = false;
    const finish = async (message = ''): Promise<void> => {
      if (finished) return;
      finished = true;
      readable.destroy();
      await Promise.all([endAndFlush(error, message), endAndFlush(writable)]);
      open -= 1;
      if (open === 0) await socket.close();
    };
    options.onConnection({ port, readable, writable, finish: (message) => void finish(message) });
  }
  return { ended: socket.ended, close: () => socket.close() };
}

function littleEndian(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}
