import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AcceptOptions, RemoteSession } from './session.ts';

export function acceptRemoteCommand(
  _request: IncomingMessage,
  _socket: Duplex,
  _head: Buffer,
  _options: AcceptOptions,
): Promise<RemoteSession> {
  return Promise.reject(new Error('not built yet'));
}
