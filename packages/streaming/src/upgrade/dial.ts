import type { Duplex } from 'node:stream';
import { onAbort } from '../abort.ts';
import { StreamError } from '../errors.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import { defaultCreationTimeoutMs } from './accept.ts';
import { requestUpgrade } from './request.ts';

export interface DialOptions {
  /** Where it is served. Query parameters are the caller's. */
  readonly url: URL;
  /** Makes the connection, e.g. TLS with a client certificate or a unix socket; default: TCP to the URL's host, with TLS for `https:`. */
  readonly connect?: () => Duplex;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** For the upgrade and the server's confirmation of the first streams together; default 30 s. */
  readonly creationTimeoutMs?: number;
  /** Default 4 h. */
  readonly idleTimeoutMs?: number;
  /** Breaks the connection off. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a connection over SPDY/3.1 and what is needed on it before it is of use.
 *
 * @param what for messages: what is opened
 * @param start gets the server's choice of sub-protocol
 * @throws {StreamError} `refused` with the server's status and text when it does not upgrade, `timeout`, `closed`
 */
export async function dialSpdy<T>(
  options: DialOptions,
  { offers, what }: { readonly offers: string; readonly what: string },
  start: (connection: SpdyConnection, protocol: string) => Promise<T>,
): Promise<T> {
  const timeoutMs = options.creationTimeoutMs ?? defaultCreationTimeoutMs;
  const opening = new AbortController();
  const timer = setTimeout(() => {
    const message = `${options.url.host} did not open ${what} within ${timeoutMs} ms`;
    opening.abort(new StreamError('timeout', message));
  }, timeoutMs);
  const { signal } = options;
  const giveUp = (): void =>
    opening.abort(new StreamError('closed', `${what} was cancelled`, { cause: signal?.reason }));
  if (signal !== undefined) onAbort(signal, giveUp);
  try {
    return await open(options, { offers, what }, opening.signal, start);
  } catch (cause) {
    throw opening.signal.aborted ? opening.signal.reason : cause;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

async function open<T>(
  options: DialOptions,
  { offers, what }: { readonly offers: string; readonly what: string },
  opening: AbortSignal,
  start: (connection: SpdyConnection, protocol: string) => Promise<T>,
): Promise<T> {
  const { socket, head, protocol } = await requestUpgrade({ ...options, protocol: offers, what }, opening);
  const { idleTimeoutMs, signal } = options;
  const connection = new SpdyConnection(socket, {
    role: 'client',
    head,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  });
  const stop = (): void => connection.destroy();
  onAbort(opening, stop);
  try {
    const started = await start(connection, protocol);
    signal?.addEventListener('abort', stop, { once: true, signal: connection.ended });
    return started;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
