import { createHash } from 'node:crypto';
import { createConnection, createServer } from 'node:net';

/**
 * Runs `work` while no other set-up on this machine runs work under the same key. On Linux the lock is a socket in the
 * abstract namespace, which goes with its holder however that ends; elsewhere there is none.
 *
 * @template T
 * @param {string} key
 * @param {() => void} onWait
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(key, onWait, work) {
  if (process.platform !== 'linux') return work();
  const path = `\0spillway-set-up-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  let release = await tryLock(path);
  if (release === undefined) onWait();
  while (release === undefined) {
    await untilReleased(path);
    release = await tryLock(path);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}

/** @param {string} path @returns {Promise<(() => Promise<void>) | undefined>} */
function tryLock(path) {
  return new Promise((resolve, reject) => {
    const waiters = new Set();
    const server = createServer((socket) => {
      waiters.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => waiters.delete(socket));
    });
    server.on('error', (error) =>
      'code' in error && error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path }, () =>
      resolve(
        () =>
          new Promise((done) => {
            server.close(() => done());
            for (const waiter of waiters) waiter.destroy();
          }),
      ),
    );
  });
}

/** @param {string} path @returns {Promise<void>} */
function untilReleased(path) {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.resume();
  });
}
