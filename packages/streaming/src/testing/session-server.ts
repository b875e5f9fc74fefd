import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { acceptRemoteCommand } from '../remote-command/accept.ts';
import { parseRemoteCommandQuery } from '../remote-command/query.ts';
import type { AcceptOptions, RemoteSession } from '../remote-command/session.ts';
import { until } from './until.ts';

export interface SessionServer {
  readonly url: URL;
  /** Why sessions could not be made. */
  readonly failures: unknown[];
  /** The next session that a client opens. */
  session(): Promise<RemoteSession>;
}

/** An HTTP server without TLS whose every upgrade is a remote command with the streams of its query. Closed with the test. */
export async function sessionServer(options: Omit<AcceptOptions, 'streams'> = {}): Promise<SessionServer> {
  const failures: unknown[] = [];
  const sessions: RemoteSession[] = [];
  const sockets = new Set<Duplex>();
  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const streams = parseRemoteCommandQuery(new URL(request.url ?? '/', 'http://localhost').searchParams);
    sessions.push(await acceptRemoteCommand(request, socket, head, { ...options, streams }));
  };
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
  return {
    url: new URL(`http://127.0.0.1:${address.port}/exec`),
    failures,
    session: async () => {
      await until(() => sessions.length > 0);
      const session = sessions.shift();
      if (session === undefined) throw new Error('two tests wait for one session');
      return session;
    },
  };
}

export function commandUrl(server: SessionServer, ...streams: readonly string[]): URL {
  const url = new URL(server.url);
  for (const name of streams) url.searchParams.set(name, '1');
  return url;
}
