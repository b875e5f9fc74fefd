import type { Duplex, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** How long a peer may take to close its end after ours. */
export const lingerMs = 5_000;

/**
 * Destroys the socket when the peer does not close its end in time. Until then what it sends has to be read: closing a TCP
 * connection with unread data resets it, and the peer loses what it has not read yet.
 */
export function destroyAfterLinger(socket: Duplex): void {
  if (socket.closed) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

/** Ends the stream and waits until its data was handed on, or until that cannot happen any more. */
export async function endAndFlush(stream: Writable | undefined, last?: string): Promise<void> {
  if (stream === undefined) return;
  if (!stream.writableEnded && !stream.destroyed) {
    if (last) stream.write(last);
    stream.end();
  }
  await finished(stream).catch(() => {});
}
