import { acceptRemoteCommand } from '../remote-command/accept.ts';
import { parseRemoteCommandQuery } from '../remote-command/query.ts';
import type { AcceptOptions, RemoteSession } from '../remote-command/session.ts';
import { until } from './until.ts';
import { upgradeServer } from './upgrade-server.ts';

export interface SessionServer {
  readonly url: URL;
  /** Why sessions could not be made. */
  readonly failures: unknown[];
  /** The next session that a client opens. */
  session(): Promise<RemoteSession>;
}

/** A server whose every upgrade is a remote command with the streams of its query. Closed with the test. */
export async function sessionServer(options: Omit<AcceptOptions, 'streams'> = {}): Promise<SessionServer> {
  const sessions: RemoteSession[] = [];
  const { origin, failures } = await upgradeServer(async (request, socket, head) => {
    const streams = parseRemoteCommandQuery(new URL(request.url ?? '/', 'http://localhost').searchParams);
    sessions.push(await acceptRemoteCommand(request, socket, head, { ...options, streams }));
  });
  return {
    url: new URL('/exec', origin),
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
