import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UpgradeAnswer } from './upstream.ts';

/**
 * Joins a client to the API server after its 101. From here on nobody looks at the bytes; what either side sent together
 * with its headers goes first.
 */
export function splice(client: Duplex, early: Buffer, upgraded: UpgradeAnswer & { kind: 'upgraded' }): void {
  const { response, socket, head } = upgraded;
  for (const [from, to] of [
    [client, socket],
    [socket, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
  client.write(headOf(response));
  if (head.length > 0) client.write(head);
  if (early.length > 0) socket.write(early);
  client.pipe(socket);
  socket.pipe(client);
}

/** Status line and headers as they came. */
export function headOf(
  { statusCode = 502, rawHeaders }: IncomingMessage,
  without: ReadonlySet<string> = new Set(),
): string {
  const lines = [`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!without.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
