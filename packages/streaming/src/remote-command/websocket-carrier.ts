import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ChannelSocket } from '../websocket/channel-socket.ts';
import { channel } from '../websocket/channels.ts';
import { upgradeWebSocket } from '../websocket/upgrade.ts';
import type { WebSocketProtocol } from './protocols.ts';
import { TerminalSizeParser, TerminalSizes } from './resize.ts';
import type { AcceptOptions, SessionCarrier } from './session.ts';

/** @throws {StreamError} `handshake`, `closed` */
export function webSocketCarrier(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: WebSocketProtocol,
  options: AcceptOptions,
): Promise<SessionCarrier> {
  return upgradeWebSocket(request, socket, head, protocol.name, (ws) =>
    carry(new ChannelSocket(ws, { ...protocol, ...options }), options),
  );
}

function carry(socket: ChannelSocket, { streams }: AcceptOptions): SessionCarrier {
  const resize = new TerminalSizes();
  const parser = new TerminalSizeParser();
  socket.onMessage(channel.resize, (payload) => {
    for (const size of parser.feed(payload)) resize.push(size);
  });
  // An empty message on the first channel that we write to tells the client that the streams are up.
  socket.send(streams.stdout ? channel.stdout : streams.stderr ? channel.stderr : channel.error, Buffer.alloc(0));
  return {
    ...(streams.stdin && { stdin: socket.incoming(channel.stdin) }),
    ...(streams.stdout && { stdout: socket.outgoing(channel.stdout) }),
    ...(streams.stderr && { stderr: socket.outgoing(channel.stderr) }),
    resize,
    ended: socket.ended,
    async report(result) {
      if (result !== '') socket.send(channel.error, Buffer.from(result));
      await socket.close();
    },
  };
}
