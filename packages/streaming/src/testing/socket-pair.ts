import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Two ends of one TCP connection over the loopback interface. */
export async function socketPair(): Promise<[client: Socket, server: Socket]> {
  const accepted = Promise.withResolvers<Socket>();
  const listener = createServer({ allowHalfOpen: true }, accepted.resolve).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  const client = connect(address.port, '127.0.0.1');
  const [server] = await Promise.all([accepted.promise, once(client, 'connect')]);
  listener.close();
  return [client, server];
}
