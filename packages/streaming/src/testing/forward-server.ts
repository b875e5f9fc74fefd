import { acceptPortForward } from '../port-forward/accept.ts';
import type { PortForwardOptions, ForwardedConnection, PortForwardSession } from '../port-forward/session.ts';
import { upgradeServer } from './upgrade-server.ts';

export interface ForwardServer {
  readonly url: URL;
  /** Why sessions could not be made. */
  readonly failures: unknown[];
  readonly sessions: PortForwardSession[];
}

/** A server whose every upgrade is a port-forward. Closed with the test. */
export async function forwardServer(
  serve: (connection: ForwardedConnection) => Promise<void> | void,
  options: Omit<PortForwardOptions, 'onConnection'> = {},
): Promise<ForwardServer> {
  const sessions: PortForwardSession[] = [];
  const onConnection = (connection: ForwardedConnection): void => void serve(connection);
  const { origin, failures } = await upgradeServer(async (request, socket, head) => {
    sessions.push(await acceptPortForward(request, socket, head, { ...options, onConnection }));
  });
  return { url: new URL('/portForward/default/web', origin), failures, sessions };
}
