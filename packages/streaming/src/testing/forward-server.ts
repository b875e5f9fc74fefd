import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { acceptPortForward } from '../port-forward/accept.ts';
import type { PortForwardOptions, ForwardedConnection, PortForwardSession } from '../port-forward/session.ts';

export interface ForwardServer {
  readonly url: URL;
  /** Why sessions could not be made. */
  readonly failures: unknown[];
  readonly sessions: PortForwardSession[];
}

/** An HTTP server without TLS whose every upgrade is a port-forward. Closed with the test. */
export async function forwardServer(
  serve: (connection: ForwardedConnection) => Promise<void> | void,
  options: Omit<PortForwardOptions, 'onConnection'> = {},
): Promise<ForwardServer> {
  const failures: unknown[] = [];
  const sessions: PortForwardSession[] = [];
  const sockets = new Set<Duplex>();
  const onConnection = (connection: ForwardedConnection): void => void serve(connection);
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    acceptPortForward(request, socket, head, { ...options, onConnection }).then(
      (session) => sessions.push(session),
      (error: unknown) => failures.push(error),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return { url: new URL(`http://127.0.0.1:${address.port}/portForward/default/web`), failures, sessions };
}
