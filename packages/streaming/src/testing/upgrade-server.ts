import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';

export interface UpgradeServer {
  readonly origin: string;
  /** Why upgrades could not be accepted. */
  readonly failures: unknown[];
}

/** An HTTP server without TLS for upgrades alone. Closed with the test, with all that it has accepted. */
export async function upgradeServer(
  accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>,
): Promise<UpgradeServer> {
  const failures: unknown[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    accept(request, socket, head).catch((error: unknown) => failures.push(error));
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
  return { origin: `http://127.0.0.1:${address.port}`, failures };
}
