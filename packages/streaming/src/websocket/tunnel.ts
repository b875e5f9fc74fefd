import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket } from 'ws';

/** What is held for a slow reader before the socket is no longer read from. */
const highWaterMark = 64 * 1024;

/** The bytes that a WebSocket carries, whatever messages they come in. */
export function tunnelOf(ws: WebSocket): Duplex {
  return createWebSocketStream(ws, { highWaterMark });
}
