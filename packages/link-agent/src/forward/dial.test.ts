import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Carrier } from './carrier.ts';
import { dialDirectly } from './dial.ts';

const target = { address: '127.1.0.9', port: 19_091 };
const { onread } = new Carrier();
const server = createServer((socket) => socket.on('error', () => undefined));
afterEach(() => server.close());

test('an endpoint that has answered is not given up because the agent had no time to hear it', async () => {
  server.listen(target.port, target.address);
  await once(server, 'listening');
  const dialling = dialDirectly(target, 20, onread);
  // The kernel has been asked by then, and answers at once.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const busyUntil = performance.now() + 60;
  while (performance.now() < busyUntil) Math.random();
  const socket = await dialling;
  expect(socket.readyState).toBe('open');
  socket.destroy();
});
