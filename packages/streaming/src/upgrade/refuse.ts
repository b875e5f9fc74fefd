import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { destroyAfterLinger } from '../socket-end.ts';

/** Reasons of a metav1.Status, as far as an upgrade is refused for them. */
const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

/**
 * Answers an upgrade request with an ordinary HTTP response and closes the connection. Clients show the text to their users,
 * so it should be a sentence. It goes out as a metav1.Status: of plain text the API server makes an "Internal error occurred".
 */
export function refuseUpgrade(
  socket: Duplex,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  socket.on('error', () => {});
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const reason = reasons[code];
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  const body = Buffer.from(`${JSON.stringify(status)}\n`);
  const lines = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
  socket.resume();
  destroyAfterLinger(socket);
}
