import { createHash } from 'node:crypto';
import { createConnection, createServer, type Server } from 'node:net';
import { errorCode } from './errors.ts';

/**
 * Runs `work` while no other process on this machine runs work under the same key.
 * The lock is a listening socket in the abstract namespace: the kernel takes it back when its holder dies, however it dies.
 */
export async function withLock<T>(key: string, work: () => Promise<T>, onWait?: () => void): Promise<T> {
  const path = `\0spillway-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  let server = await tryListen(path);
  if (server === undefined) onWait?.();
  while (server === undefined) {
    await untilReleased(path);
    server = await tryListen(path);
  }
  try {
    return await work();
  } finally {
    await close(server);
  }
}

interface Held {
  readonly server: Server;
  readonly waiters: Set<{ destroy(): void }>;
}

function tryListen(path: string): Promise<Held | undefined> {
  return new Promise((resolve, reject) => {
    const waiters: Held['waiters'] = new Set();
    const server = createServer((socket) => {
      waiters.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiters.delete(socket));
    });
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => resolve({ server, waiters }));
  });
}

/** A waiter keeps a connection to the holder; its end is the release. */
function untilReleased(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}

function close(held: Held): Promise<void> {
  return new Promise((resolve) => {
    held.server.close(() => resolve());
    for (const waiter of held.waiters) waiter.destroy();
  });
}
