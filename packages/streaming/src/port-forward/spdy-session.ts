import type { Duplex } from 'node:stream';
import { StreamError } from '../errors.ts';
import { endAndFlush } from '../socket-end.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { defaultCreationTimeoutMs } from '../upgrade/accept.ts';
import type { PortForwardOptions, ForwardedConnection, PortForwardSession } from './session.ts';
import { type ForwardStreamType, pairKey, parseForwardHeaders } from './protocol.ts';

/** Connections that are open at the same time in one session; each has two streams. */
const maxConnections = 1024;

/** One of the two streams of a connection, until the other one is here. */
interface Pending {
  readonly type: ForwardStreamType;
  readonly stream: SpdyStream;
  readonly timer: NodeJS.Timeout;
}

/** @param socket carries SPDY already */
export function serveSpdy(socket: Duplex, head: Buffer, options: PortForwardOptions): PortForwardSession {
  const { idleTimeoutMs, creationTimeoutMs = defaultCreationTimeoutMs, signal, onConnection } = options;
  const pending = new Map<string, Pending>();

  const wait = (key: string, type: ForwardStreamType, stream: SpdyStream): void => {
    const timer = setTimeout(() => {
      pending.delete(key);
      refuse({ type, stream }, `timed out after ${creationTimeoutMs} ms waiting for both streams of a connection`);
    }, creationTimeoutMs);
    pending.set(key, { type, stream, timer });
  };

  const onStream = (stream: SpdyStream): void => {
    const headers = parseForwardHeaders(stream.headers);
    if (headers === undefined) return;
    const key = pairKey(headers, stream.id);
    const other = pending.get(key);
    if (other?.type === headers.type) {
      refuse({ type: headers.type, stream }, `${headers.type} stream already assigned`);
    } else if (other === undefined) {
      wait(key, headers.type, stream);
    } else {
      clearTimeout(other.timer);
      pending.delete(key);
      const [data, error] = headers.type === 'data' ? [stream, other.stream] : [other.stream, stream];
      onConnection(forwarded(headers.port, data, error));
    }
  };

  const connection = new SpdyConnection(socket, {
    role: 'server',
    head,
    limits: { maxStreams: 2 * maxConnections },
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
    accepts: (headers) => parseForwardHeaders(headers) !== undefined,
    onStream,
  });
  const stop = (): void =>
    connection.destroy(new StreamError('closed', 'the session was ended', { cause: signal?.reason }));
  signal?.addEventListener('abort', stop, { once: true, signal: connection.ended });
  connection.ended.addEventListener('abort', () => {
    for (const { timer } of pending.values()) clearTimeout(timer);
    pending.clear();
  });
  return { ended: connection.ended, close: () => connection.close() };
}

function forwarded(port: number, data: SpdyStream, error: SpdyStream): ForwardedConnection {
  const { readable, writable } = data;
  // Nobody writes to the server on it.
  error.readable.resume();
  return {
    port,
    readable,
    writable,
    finish: (message = '') => {
      void endAndFlush(error.writable, message);
      if (!writable.writableEnded) writable.end();
      // What is still sent nobody wants.
      readable.destroy();
    },
  };
}

function refuse({ type, stream }: Pick<Pending, 'type' | 'stream'>, message: string): void {
  if (type === 'error') stream.writable.end(message);
  else stream.reset();
  stream.readable.destroy();
}
