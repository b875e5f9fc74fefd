import type { Duplex, Readable } from 'node:stream';
import { onAbort } from '../abort.ts';
import { StreamError } from '../errors.ts';
import { endAndFlush } from '../socket-end.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { defaultCreationTimeoutMs, switchToSpdy } from '../upgrade/accept.ts';
import type { Protocol } from './protocols.ts';
import { TerminalSizeParser, TerminalSizes } from './resize.ts';
import type { AcceptOptions, SessionCarrier } from './session.ts';
import { expectedStreams, isStreamType, type StreamType, streamTypeHeader, streamTypes } from './stream-types.ts';

/** @throws {StreamError} `timeout` when the client does not open all streams that it asked for, `closed` */
export async function spdyCarrier(
  socket: Duplex,
  head: Buffer,
  protocol: Protocol,
  options: AcceptOptions,
): Promise<SessionCarrier> {
  const streams = new Map<StreamType, SpdyStream>();
  const missing = new Set(expectedStreams(protocol, options.streams));
  const complete = Promise.withResolvers<void>();
  switchToSpdy(socket, protocol.name);
  const connection = new SpdyConnection(socket, {
    role: 'server',
    head,
    limits: { maxStreams: streamTypes.length },
    ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs }),
    accepts: (headers) => {
      const type = headers.get(streamTypeHeader);
      return isStreamType(type) && !streams.has(type);
    },
    onStream: (stream) => {
      const type = stream.headers.get(streamTypeHeader);
      if (!isStreamType(type)) return;
      streams.set(type, stream);
      missing.delete(type);
      if (missing.size === 0) complete.resolve();
    },
  });
  const creationTimeoutMs = options.creationTimeoutMs ?? defaultCreationTimeoutMs;
  const timer = setTimeout(() => complete.reject(notCreated(missing, creationTimeoutMs)), creationTimeoutMs);
  onAbort(connection.ended, () => complete.reject(connection.ended.reason));
  const { signal } = options;
  const stop = (): void =>
    connection.destroy(new StreamError('closed', 'the session was ended', { cause: signal?.reason }));
  signal?.addEventListener('abort', stop, { once: true, signal: connection.ended });
  try {
    await complete.promise;
  } catch (error) {
    await connection.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return carry(connection, streams, options);
}

function carry(
  connection: SpdyConnection,
  streams: ReadonlyMap<StreamType, SpdyStream>,
  { streams: asked }: AcceptOptions,
): SessionCarrier {
  const stdin = asked.stdin ? streams.get('stdin')?.readable : undefined;
  const stdout = asked.stdout ? streams.get('stdout')?.writable : undefined;
  const stderr = asked.stderr ? streams.get('stderr')?.writable : undefined;
  for (const [type, stream] of streams) {
    if (stream.readable !== stdin && type !== 'resize') stream.readable.resume();
  }
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    resize: sizesFrom(streams.get('resize')?.readable),
    ended: connection.ended,
    async report(result) {
      await endAndFlush(streams.get('error')?.writable, result);
      await Promise.all([...streams.values()].map((stream) => endAndFlush(stream.writable)));
      await connection.close();
    },
  };
}

function sizesFrom(readable: Readable | undefined): TerminalSizes {
  const sizes = new TerminalSizes();
  const parser = new TerminalSizeParser();
  readable?.on('data', (chunk: Buffer) => {
    for (const size of parser.feed(chunk)) sizes.push(size);
  });
  readable?.once('close', () => sizes.end());
  return sizes;
}

function notCreated(missing: ReadonlySet<StreamType>, timeoutMs: number): StreamError {
  return new StreamError('timeout', `the client did not open ${[...missing].join(', ')} within ${timeoutMs} ms`);
}
