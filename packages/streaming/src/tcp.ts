import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Key strokes and small frames go out at once. */
export function setNoDelay(socket: Duplex): void {
  if (socket instanceof Socket) socket.setNoDelay(true);
}
