import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * The address of this machine from which a server is reached: where its answers come back to, so most likely where it can
 * connect to as well.
 *
 * @throws when the server cannot be reached
 */
export async function outboundAddress(server: string, signal: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(server);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 443 : port) });
  try {
    await once(socket, 'connect', { signal });
    return (socket.localAddress ?? '').replace(/^::ffff:/, '');
  } finally {
    socket.destroy();
  }
}
