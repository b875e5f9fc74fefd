import type { Duplex, Readable, Writable } from 'node:stream';
import { onAbort } from '../abort.ts';
import { StreamError } from '../errors.ts';
import { endAndFlush } from '../socket-end.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { setNoDelay } from '../tcp.ts';
import { expectedStreams, isStreamType, type StreamType, streamTypeHeader, streamTypes } from './stream-types.ts';
import type { Protocol } from './protocols.ts';
import { TerminalSizeParser, TerminalSizes } from './resize.ts';
import { type AcceptOptions, defaultCreationTimeoutMs, type RemoteResult, type RemoteSession } from './session.ts';
import { formatLegacyStatus, formatStatus } from './status.ts';

/** @throws {StreamError} `timeout` when the client does not open all streams that it asked for, `closed` */
export async function acceptSpdy(
  socket: Duplex,
  head: Buffer,
  protocol: Protocol,
  options: AcceptOptions,
): Promise<RemoteSession> {
  const streams = new Map<StreamType, SpdyStream>();
  const missing = new Set(expectedStreams(protocol, options.streams));
  const complete = Promise.withResolvers<void>();
  setNoDelay(socket);
  socket.write(switchingProtocols(protocol));
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
  return new SpdySession(connection, protocol, streams, options);
}

class SpdySession implements RemoteSession {
  readonly protocol: string;
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize: TerminalSizes = new TerminalSizes();
  readonly closed: AbortSignal;
  readonly #connection: SpdyConnection;
  readonly #protocol: Protocol;
  readonly #streams: ReadonlyMap<StreamType, SpdyStream>;
  #finished: Promise<void> | undefined;

  constructor(
    connection: SpdyConnection,
    protocol: Protocol,
    streams: ReadonlyMap<StreamType, SpdyStream>,
    options: AcceptOptions,
  ) {
    this.#connection = connection;
    this.#protocol = protocol;
    this.#streams = streams;
    this.protocol = protocol.name;
    this.tty = options.streams.tty;
    const stdin = options.streams.stdin ? streams.get('stdin')?.readable : undefined;
    const stdout = options.streams.stdout ? streams.get('stdout')?.writable : undefined;
    const stderr = options.streams.stderr ? streams.get('stderr')?.writable : undefined;
    if (stdin !== undefined) this.stdin = stdin;
    if (stdout !== undefined) this.stdout = stdout;
    if (stderr !== undefined) this.stderr = stderr;
    const closed = new AbortController();
    this.closed = closed.signal;
    onAbort(connection.ended, () => {
      this.resize.end();
      if (this.#finished === undefined) closed.abort(connection.ended.reason);
    });
    this.#readSizes();
    for (const [type, stream] of streams) {
      if (stream.readable !== stdin && type !== 'resize') stream.readable.resume();
    }
  }

  finish(result: RemoteResult): Promise<void> {
    this.#finished ??= this.#finish(result);
    return this.#finished;
  }

  async #finish(result: RemoteResult): Promise<void> {
    this.resize.end();
    this.stdin?.destroy();
    await Promise.all([endAndFlush(this.stdout), endAndFlush(this.stderr)]);
    const status = this.#protocol.structuredStatus ? formatStatus(result) : formatLegacyStatus(result);
    await endAndFlush(this.#streams.get('error')?.writable, status);
    await Promise.all([...this.#streams.values()].map((stream) => endAndFlush(stream.writable)));
    await this.#connection.close();
  }

  #readSizes(): void {
    const readable = this.#streams.get('resize')?.readable;
    if (readable === undefined) return;
    const parser = new TerminalSizeParser();
    readable.on('data', (chunk: Buffer) => {
      for (const size of parser.feed(chunk)) this.resize.push(size);
    });
    readable.once('close', () => this.resize.end());
  }
}

function notCreated(missing: ReadonlySet<StreamType>, timeoutMs: number): StreamError {
  return new StreamError('timeout', `the client did not open ${[...missing].join(', ')} within ${timeoutMs} ms`);
}

function switchingProtocols(protocol: Protocol): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  return [...lines, `X-Stream-Protocol-Version: ${protocol.name}`, '', ''].join('\r\n');
}
