import type { IncomingMessage } from 'node:http';
import { type Duplex, Readable, Writable } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { StreamError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import { endAndFlush, lingerMs } from '../socket-end.ts';
import { type ChannelCodec, base64Codec, binaryCodec, channel, closeSignal } from './channels.ts';
import type { WebSocketProtocol } from './protocols.ts';
import { TerminalSizeParser, TerminalSizes } from './resize.ts';
import type { AcceptOptions, RemoteResult, RemoteSession } from './session.ts';
import { formatLegacyStatus, formatStatus } from './status.ts';

/** Longest message of a client; Kubernetes' own send 32 KiB at most. */
const maxMessageBytes = 4 * 1024 * 1024;
/** What is held for a slow reader on either side before writers have to wait. */
const maxBuffered = 64 * 1024;
/** How often a connection that is not read from is tried, to notice its loss. */
const heldPingIntervalMs = 10_000;
const normalClosure = 1000;

/** @throws {StreamError} `handshake`, `closed` */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: WebSocketProtocol,
  options: AcceptOptions,
): Promise<RemoteSession> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: () => protocol.name,
  });
  return new Promise((resolve, reject) => {
    server.once('wsClientError', (cause) => {
      reject(new StreamError('handshake', `unable to upgrade: ${cause.message}`, { status: 400, cause }));
    });
    socket.once('close', () => reject(new StreamError('closed', 'the connection was lost')));
    // Messages may come in before a promise would be continued, so the session is made here.
    server.handleUpgrade(request, socket, head, (ws) => resolve(new WebSocketSession(ws, protocol, options)));
  });
}

class WebSocketSession implements RemoteSession {
  readonly protocol: string;
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize: TerminalSizes = new TerminalSizes();
  readonly closed: AbortSignal;
  readonly #ws: WebSocket;
  readonly #protocol: WebSocketProtocol;
  readonly #codec: ChannelCodec;
  readonly #idle: IdleTimer;
  readonly #sizes = new TerminalSizeParser();
  #heldPings: NodeJS.Timeout | undefined;
  #stdinEnded = false;
  #finished: Promise<void> | undefined;

  constructor(ws: WebSocket, protocol: WebSocketProtocol, options: AcceptOptions) {
    const { streams, signal } = options;
    this.#ws = ws;
    this.#protocol = protocol;
    this.#codec = protocol.base64 ? base64Codec : binaryCodec;
    this.protocol = protocol.name;
    this.tty = streams.tty;
    if (streams.stdin) this.stdin = this.#incoming();
    if (streams.stdout) this.stdout = this.#outgoing(channel.stdout);
    if (streams.stderr) this.stderr = this.#outgoing(channel.stderr);
    const closed = new AbortController();
    this.closed = closed.signal;
    let reason = new StreamError('closed', 'the client closed the connection');
    const breakOff = (error: StreamError): void => {
      reason = error;
      ws.terminate();
    };
    this.#idle = new IdleTimer(options.idleTimeoutMs, (ms) => {
      breakOff(new StreamError('timeout', `no traffic for ${ms} ms`));
    });
    const stop = (): void => breakOff(new StreamError('closed', 'the session was ended', { cause: signal?.reason }));
    signal?.addEventListener('abort', stop, { once: true });
    ws.on('message', (data) => this.#receive(data));
    ws.on('ping', () => this.#idle.touch());
    ws.on('pong', () => this.#idle.touch());
    ws.on('error', (cause) => {
      reason = new StreamError('protocol', `the WebSocket connection broke: ${cause.message}`, { cause });
    });
    ws.on('close', () => {
      signal?.removeEventListener('abort', stop);
      this.#idle.stop();
      clearInterval(this.#heldPings);
      this.resize.end();
      // What arrived completely stays readable.
      if (!this.#stdinEnded) this.stdin?.destroy(reason);
      for (const stream of [this.stdout, this.stderr]) stream?.destroy(reason);
      if (this.#finished === undefined) closed.abort(reason);
    });
    this.#announce();
  }

  finish(result: RemoteResult): Promise<void> {
    this.#finished ??= this.#finish(result);
    return this.#finished;
  }

  async #finish(result: RemoteResult): Promise<void> {
    this.resize.end();
    this.stdin?.destroy();
    await Promise.all([endAndFlush(this.stdout), endAndFlush(this.stderr)]);
    const text = this.#protocol.structuredStatus ? formatStatus(result) : formatLegacyStatus(result);
    if (text !== '') this.#send(channel.error, Buffer.from(text));
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    const closed = new Promise((resolve) => this.#ws.once('close', resolve));
    const linger = setTimeout(() => this.#ws.terminate(), lingerMs);
    this.#ws.close(normalClosure);
    await closed;
    clearTimeout(linger);
  }

  /** An empty message on the first channel that we write to tells the client that the streams are up. */
  #announce(): void {
    const first = this.stdout ? channel.stdout : this.stderr ? channel.stderr : channel.error;
    this.#send(first, Buffer.alloc(0));
  }

  #receive(data: RawData): void {
    this.#idle.touch();
    const message = asBuffer(data);
    if (message.length === 0) return;
    if (this.#protocol.halfClose && message[0] === closeSignal) {
      if (message[1] === channel.stdin) this.#endStdin();
      return;
    }
    const [number, payload] = this.#codec.decode(message);
    if (payload.length === 0) return;
    if (number === channel.resize) for (const size of this.#sizes.feed(payload)) this.resize.push(size);
    else if (number === channel.stdin) this.#receiveStdin(payload);
  }

  #receiveStdin(payload: Buffer): void {
    const { stdin } = this;
    if (stdin === undefined || stdin.destroyed || this.#stdinEnded || stdin.push(payload)) return;
    this.#ws.pause();
    this.#heldPings ??= setInterval(() => {
      if (this.#ws.bufferedAmount === 0) this.#ws.ping();
    }, heldPingIntervalMs);
  }

  #endStdin(): void {
    if (this.#stdinEnded) return;
    this.#stdinEnded = true;
    if (!this.stdin?.destroyed) this.stdin?.push(null);
  }

  #resume(): void {
    clearInterval(this.#heldPings);
    this.#heldPings = undefined;
    this.#ws.resume();
  }

  #incoming(): Readable {
    const stream = new Readable({
      highWaterMark: maxBuffered,
      read: () => this.#resume(),
      destroy: (error, done) => {
        this.#resume();
        done(error);
      },
    });
    return stream.on('error', () => {});
  }

  #outgoing(number: number): Writable {
    const stream = new Writable({
      highWaterMark: maxBuffered,
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => this.#sendPatiently(number, chunk, done),
    });
    return stream.on('error', () => {});
  }

  /** Calls `done` when the client keeps up; otherwise when this message has left. */
  #sendPatiently(number: number, payload: Buffer, done: (error?: Error | null) => void): void {
    let waiting = false;
    this.#send(number, payload, (error) => {
      if (waiting) done(error);
    });
    waiting = this.#ws.bufferedAmount > maxBuffered;
    if (!waiting) done();
  }

  #send(number: number, payload: Buffer, sent: (error?: Error) => void = () => {}): void {
    this.#idle.touch();
    this.#ws.send(this.#codec.encode(number, payload), { binary: !this.#protocol.base64 }, sent);
  }
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
