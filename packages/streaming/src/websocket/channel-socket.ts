import { Readable, Writable } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { StreamError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import { lingerMs } from '../socket-end.ts';
import { base64Codec, binaryCodec, type ChannelCodec, closeSignal } from './channels.ts';

export interface ChannelSocketOptions {
  readonly base64: boolean;
  /** The peer can close a channel. */
  readonly halfClose: boolean;
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What is held for a slow reader on either side before writers have to wait. */
const maxBuffered = 64 * 1024;
/** How often a connection that is not read from is tried, to notice its loss. */
const heldPingIntervalMs = 10_000;
const normalClosure = 1000;

interface Incoming {
  readonly stream: Readable;
  ended: boolean;
}

/**
 * A WebSocket whose messages belong to channels. Back-pressure is that the socket is not read while the reader of any channel
 * is behind, and that writes wait while the socket does not drain.
 */
export class ChannelSocket {
  /** Aborted with a {@link StreamError} when the connection is closed, also by us. */
  readonly ended: AbortSignal;
  readonly #ws: WebSocket;
  readonly #codec: ChannelCodec;
  readonly #options: ChannelSocketOptions;
  readonly #idle: IdleTimer;
  readonly #incoming = new Map<number, Incoming>();
  readonly #outgoing: Writable[] = [];
  readonly #handlers = new Map<number, (payload: Buffer) => void>();
  readonly #held = new Set<Readable>();
  #heldPings: NodeJS.Timeout | undefined;

  constructor(ws: WebSocket, options: ChannelSocketOptions) {
    const { base64, idleTimeoutMs, signal } = options;
    this.#ws = ws;
    this.#options = options;
    this.#codec = base64 ? base64Codec : binaryCodec;
    const end = new AbortController();
    this.ended = end.signal;
    let reason = new StreamError('closed', 'the client closed the connection');
    const breakOff = (error: StreamError): void => {
      reason = error;
      ws.terminate();
    };
    this.#idle = new IdleTimer(idleTimeoutMs, (ms) => breakOff(new StreamError('timeout', `no traffic for ${ms} ms`)));
    const stop = (): void => breakOff(new StreamError('closed', 'the session was ended', { cause: signal?.reason }));
    signal?.addEventListener('abort', stop, { once: true, signal: end.signal });
    ws.on('message', (data) => this.#receive(data));
    ws.on('ping', () => this.#idle.touch());
    ws.on('pong', () => this.#idle.touch());
    ws.on('error', (cause) => {
      reason = new StreamError('protocol', `the WebSocket connection broke: ${cause.message}`, { cause });
    });
    ws.on('close', () => {
      this.#idle.stop();
      clearInterval(this.#heldPings);
      end.abort(reason);
      // What arrived completely stays readable.
      for (const { stream, ended } of this.#incoming.values()) if (!ended) stream.destroy(reason);
      for (const stream of this.#outgoing) stream.destroy(reason);
    });
  }

  /** What the peer sends on a channel. Its errors need no listener. */
  incoming(channel: number): Readable {
    const stream: Readable = new Readable({
      highWaterMark: maxBuffered,
      read: () => this.#proceed(stream),
      destroy: (error, done) => {
        this.#proceed(stream);
        done(error);
      },
    });
    this.#incoming.set(channel, { stream, ended: false });
    return stream.on('error', () => {});
  }

  /** What is sent to the peer on a channel. Its errors need no listener. */
  outgoing(channel: number): Writable {
    const stream = new Writable({
      highWaterMark: maxBuffered,
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => this.#sendPatiently(channel, chunk, done),
    });
    this.#outgoing.push(stream);
    return stream.on('error', () => {});
  }

  /** For a channel of small messages, which nobody has to wait for. */
  onMessage(channel: number, handler: (payload: Buffer) => void): void {
    this.#handlers.set(channel, handler);
  }

  send(channel: number, payload: Buffer, sent: (error?: Error) => void = () => {}): void {
    this.#idle.touch();
    this.#ws.send(this.#codec.encode(channel, payload), { binary: !this.#options.base64 }, sent);
  }

  /** Says good-bye behind everything that was sent; resolves when the connection is closed. */
  async close(): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    const closed = new Promise((resolve) => this.#ws.once('close', resolve));
    const linger = setTimeout(() => this.#ws.terminate(), lingerMs);
    this.#ws.close(normalClosure);
    await closed;
    clearTimeout(linger);
  }

  #receive(data: RawData): void {
    this.#idle.touch();
    const message = asBuffer(data);
    if (message.length === 0) return;
    if (this.#options.halfClose && message[0] === closeSignal) {
      this.#endIncoming(message[1]);
      return;
    }
    const [channel, payload] = this.#codec.decode(message);
    if (payload.length === 0) return;
    this.#handlers.get(channel)?.(payload);
    const incoming = this.#incoming.get(channel);
    if (incoming === undefined || incoming.ended || incoming.stream.destroyed) return;
    if (!incoming.stream.push(payload)) this.#hold(incoming.stream);
  }

  #endIncoming(channel: number | undefined): void {
    const incoming = channel === undefined ? undefined : this.#incoming.get(channel);
    if (incoming === undefined || incoming.ended) return;
    incoming.ended = true;
    if (!incoming.stream.destroyed) incoming.stream.push(null);
  }

  #hold(stream: Readable): void {
    this.#held.add(stream);
    this.#ws.pause();
    this.#heldPings ??= setInterval(() => {
      if (this.#ws.bufferedAmount === 0) this.#ws.ping();
    }, heldPingIntervalMs);
  }

  #proceed(stream: Readable): void {
    if (!this.#held.delete(stream) || this.#held.size > 0) return;
    clearInterval(this.#heldPings);
    this.#heldPings = undefined;
    this.#ws.resume();
  }

  /** Calls `done` when the peer keeps up; otherwise when this message has left. */
  #sendPatiently(channel: number, payload: Buffer, done: (error?: Error | null) => void): void {
    let waiting = false;
    this.send(channel, payload, (error) => {
      if (waiting) done(error);
    });
    waiting = this.#ws.bufferedAmount > maxBuffered;
    if (!waiting) done();
  }
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
