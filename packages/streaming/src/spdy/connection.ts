import type { Duplex } from 'node:stream';
import { StreamError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import { destroyAfterLinger } from '../socket-end.ts';
import { type FrameLimits, FrameParser } from './frame-parser.ts';
import {
  encodeDataHeader,
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  encodeSynStream,
  type Frame,
  goAwayStatus,
  maxStreamId,
  rstStatus,
} from './frames.ts';
import { HeaderDecoder, HeaderEncoder, type HeaderLimits, type HeaderMap } from './header-block.ts';
import { SpdyStream, type StreamCarrier } from './stream.ts';

export interface SpdyConnectionOptions {
  readonly role: 'server' | 'client';
  /** What was read from the socket together with the upgrade. */
  readonly head?: Buffer;
  readonly limits?: Partial<SpdyLimits>;
  /** Without a frame in either direction for this long the connection is closed; default 4 h. */
  readonly idleTimeoutMs?: number;
  /**
   * While a slow reader keeps the connection from being read, its loss would go unnoticed; so a PING is written this often,
   * which the kernel of a dead peer answers with a reset. Default 10 s.
   */
  readonly heldPingIntervalMs?: number;
  /** Whether a stream that the peer wants to open is welcome; default: none is. */
  readonly accepts?: (headers: HeaderMap) => boolean;
  /** A stream that was accepted and confirmed. */
  readonly onStream?: (stream: SpdyStream) => void;
}

export interface SpdyLimits extends FrameLimits, HeaderLimits {
  /** Streams that are open at the same time; default 100. */
  readonly maxStreams: number;
  /** What one stream holds for its reader, and takes from its writer, before it applies back-pressure; default 64 KiB. */
  readonly streamBufferBytes: number;
  /** Confirmations and pings that the peer did not read yet; above, it is not read from. Default 64 KiB. */
  readonly maxControlBacklog: number;
}

const defaultLimits: SpdyLimits = {
  maxControlLength: 64 * 1024,
  maxHeaderBytes: 16 * 1024,
  maxStreams: 100,
  streamBufferBytes: 64 * 1024,
  maxControlBacklog: 64 * 1024,
};

/** Longer writes are cut, so that one stream does not hold up the others for long. */
const maxDataFrame = 64 * 1024;

/**
 * A SPDY/3.1 connection as Kubernetes speaks it: without flow control on the wire. Back-pressure is that the socket is not
 * read while any stream's reader is behind, and that writes wait while the socket does not drain.
 *
 *     socket ──► FrameParser ──► HeaderDecoder ──► SpdyStream.readable        (held while a reader is behind)
 *     socket ◄── frames       ◄── HeaderEncoder ◄── SpdyStream.writable       (waits for drain)
 */
export class SpdyConnection implements StreamCarrier {
  /** Aborted with a {@link StreamError} when the connection can no longer be used, our own {@link close} included. */
  readonly ended: AbortSignal;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #limits: SpdyLimits;
  readonly #parser: FrameParser;
  readonly #decoder: HeaderDecoder;
  readonly #encoder = new HeaderEncoder();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #opening = new Map<number, PromiseWithResolvers<void>>();
  readonly #held = new Set<SpdyStream>();
  readonly #awaitingDrain: ((error?: Error) => void)[] = [];
  readonly #end = new AbortController();
  readonly #idle: IdleTimer;
  #controlBacklog = 0;
  #release: (() => void) | undefined;
  #nextStreamId: number;
  #nextPingId: number;
  #lastPeerStreamId = 0;

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#parser = new FrameParser(this.#limits);
    this.#decoder = new HeaderDecoder(this.#limits);
    this.#nextStreamId = options.role === 'client' ? 1 : 2;
    this.#nextPingId = this.#nextStreamId;
    this.ended = this.#end.signal;
    this.#idle = new IdleTimer(options.idleTimeoutMs, (ms) => this.#fail(idleFor(ms)));
    // An error comes out of reading as well, but after everything that had arrived before it.
    socket.on('error', () => {});
    socket.on('drain', () => this.#drained());
    const closed = socket.closed ? undefined : new Promise((resolve) => socket.once('close', resolve));
    socket.once('close', () => this.#releaseReader());
    this.closed = Promise.all([closed, this.#readToEnd(options.head)]).then(() => this.#decoder.close());
  }

  /**
   * Opens a stream; resolves when the peer has confirmed it.
   *
   * @throws {StreamError} `refused` when the peer resets it instead, `closed`
   */
  async openStream(headers: HeaderMap): Promise<SpdyStream> {
    this.ended.throwIfAborted();
    const id = this.#nextStreamId;
    if (id > maxStreamId) throw new StreamError('limit', 'no stream ids are left on this SPDY connection');
    this.#nextStreamId += 2;
    const stream = this.#addStream(id, headers);
    const confirmed = Promise.withResolvers<void>();
    this.#opening.set(id, confirmed);
    this.#sendControl(encodeSynStream(id, this.#encoder.encode(headers), false));
    await confirmed.promise;
    return stream;
  }

  /** Says good-bye after everything written so far and closes; what the peer still sends is thrown away. */
  async close(): Promise<void> {
    this.#fail(new StreamError('closed', 'the connection was closed'));
    await this.closed;
  }

  /** Closes without good-bye. */
  destroy(reason: StreamError = new StreamError('closed', 'the connection was closed')): void {
    this.#stop(reason);
    this.#socket.destroy();
  }

  sendData(streamId: number, chunks: readonly Buffer[], fin: boolean, done: (error?: Error) => void): void {
    if (this.ended.aborted || this.#socket.destroyed) {
      done(new StreamError('closed', 'the connection is closed'));
      return;
    }
    this.#idle.touch();
    this.#socket.cork();
    for (const chunk of chunks) {
      for (let start = 0; start < chunk.length; start += maxDataFrame) {
        const piece = chunk.length > maxDataFrame ? chunk.subarray(start, start + maxDataFrame) : chunk;
        this.#socket.write(encodeDataHeader(streamId, piece.length, false));
        this.#socket.write(piece);
      }
    }
    if (fin) this.#socket.write(encodeDataHeader(streamId, 0, true));
    this.#socket.uncork();
    if (this.#socket.writableNeedDrain) this.#awaitingDrain.push(done);
    else done();
  }

  sendReset(streamId: number, status: number): void {
    this.#sendControl(encodeRstStream(streamId, status));
  }

  hold(stream: SpdyStream): void {
    this.#held.add(stream);
  }

  proceed(stream: SpdyStream): void {
    if (this.#held.delete(stream)) this.#releaseReader();
  }

  release(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
  }

  async #readToEnd(head: Buffer | undefined): Promise<void> {
    try {
      await this.#read(head);
    } catch (cause) {
      this.#fail(asStreamError(cause), 'peer');
      this.#socket.resume();
    }
  }

  async #read(head: Buffer | undefined): Promise<void> {
    if (head !== undefined && head.length > 0) await this.#receive(head);
    const chunks: AsyncIterable<Buffer> = this.#socket.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) await this.#receive(chunk);
    throw connectionLost();
  }

  async #receive(chunk: Buffer): Promise<void> {
    if (this.ended.aborted) return;
    this.#idle.touch();
    for (const frame of this.#parser.feed(chunk)) {
      const pending = this.#handle(frame);
      if (pending !== undefined) await pending;
    }
    if (this.#mustWait()) await this.#readerReleased();
  }

  #handle(frame: Frame): Promise<void> | undefined {
    switch (frame.type) {
      case 'data':
        this.#streams.get(frame.streamId)?.receive(frame.payload, frame.fin);
        return undefined;
      case 'synStream':
        return this.#synStream(frame.streamId, frame.headerBlock, frame.fin);
      case 'synReply':
        return this.#synReply(frame.streamId, frame.headerBlock, frame.fin);
      case 'headers':
        // Nobody sends these, but they are part of the one compressed stream.
        return this.#unwantedHeaders(frame.headerBlock);
      case 'rstStream':
        this.#rstStream(frame.streamId, frame.status);
        return undefined;
      case 'ping':
        // Ids of one parity are the peer's own pings, the others are answers to ours.
        if (frame.id % 2 !== this.#nextPingId % 2) this.#sendControl(encodePing(frame.id));
        return undefined;
      default:
        // After GOAWAY the peer opens no more streams; those that exist go on until it closes.
        return undefined;
    }
  }

  async #unwantedHeaders(headerBlock: Buffer): Promise<void> {
    await this.#decoder.decode(headerBlock);
  }

  async #synStream(id: number, headerBlock: Buffer, fin: boolean): Promise<void> {
    const headers = await this.#decoder.decode(headerBlock);
    if (this.ended.aborted) return;
    if (id <= this.#lastPeerStreamId || id % 2 === this.#nextStreamId % 2) {
      throw new StreamError('protocol', `SPDY stream id ${id} is out of order`);
    }
    this.#lastPeerStreamId = id;
    if (this.#streams.size >= this.#limits.maxStreams || !this.#options.accepts?.(headers)) {
      this.sendReset(id, rstStatus.refusedStream);
      return;
    }
    const stream = this.#addStream(id, headers);
    this.#sendControl(encodeSynReply(id, this.#encoder.encode(new Map()), false));
    if (fin) stream.receive(Buffer.alloc(0), true);
    this.#options.onStream?.(stream);
  }

  async #synReply(id: number, headerBlock: Buffer, fin: boolean): Promise<void> {
    await this.#decoder.decode(headerBlock);
    this.#opening.get(id)?.resolve();
    this.#opening.delete(id);
    if (fin) this.#streams.get(id)?.receive(Buffer.alloc(0), true);
  }

  #rstStream(id: number, status: number): void {
    const error = new StreamError('refused', `the peer reset the stream with status ${status}`);
    this.#opening.get(id)?.reject(error);
    this.#opening.delete(id);
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#endStream(stream, error, status === rstStatus.cancel ? 'peer' : 'us');
  }

  /**
   * Go's servers end a remote command by cancelling its streams, or by closing the connection right behind its result. For
   * the client either is the end of what the streams carried; whether that was all, the result tells.
   */
  #endStream(stream: SpdyStream, error: StreamError, endedBy: 'peer' | 'us'): void {
    if (this.#options.role === 'client' && endedBy === 'peer') stream.endByPeer(error);
    else stream.break(error);
  }

  #addStream(id: number, headers: HeaderMap): SpdyStream {
    const stream = new SpdyStream({ id, headers, carrier: this, highWaterMark: this.#limits.streamBufferBytes });
    this.#streams.set(id, stream);
    return stream;
  }

  #sendControl(frame: Buffer): void {
    if (this.ended.aborted || this.#socket.destroyed) return;
    this.#controlBacklog += frame.length;
    this.#socket.write(frame, () => {
      this.#controlBacklog -= frame.length;
      this.#releaseReader();
    });
  }

  #mustWait(): boolean {
    if (this.ended.aborted || this.#socket.closed) return false;
    return this.#held.size > 0 || this.#controlBacklog > this.#limits.maxControlBacklog;
  }

  async #readerReleased(): Promise<void> {
    const pings = setInterval(() => this.#sendHeldPing(), this.#options.heldPingIntervalMs ?? 10_000);
    await new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    clearInterval(pings);
  }

  #releaseReader(): void {
    if (this.#release === undefined || this.#mustWait()) return;
    this.#release();
    this.#release = undefined;
  }

  #sendHeldPing(): void {
    if (this.#socket.writableNeedDrain) return;
    this.#sendControl(encodePing(this.#nextPingId));
    this.#nextPingId = (this.#nextPingId + 2) % 0x7f_ff_ff_fe;
  }

  #drained(): void {
    for (const done of this.#awaitingDrain.splice(0)) done();
  }

  #fail(error: StreamError, endedBy: 'peer' | 'us' = 'us'): void {
    if (this.ended.aborted) return;
    const broken = error.kind === 'protocol' || error.kind === 'limit';
    const status = broken ? goAwayStatus.protocolError : goAwayStatus.ok;
    if (this.#socket.writable) this.#socket.end(encodeGoAway(this.#lastPeerStreamId, status));
    this.#stop(error, endedBy);
  }

  /** From here on nothing is sent or handed out; the socket is read until the peer has closed too, or has taken too long. */
  #stop(error: StreamError, endedBy: 'peer' | 'us' = 'us'): void {
    if (this.ended.aborted) return;
    this.#end.abort(error);
    this.#idle.stop();
    destroyAfterLinger(this.#socket);
    for (const opening of this.#opening.values()) opening.reject(error);
    this.#opening.clear();
    for (const stream of this.#streams.values()) this.#endStream(stream, error, endedBy);
    for (const done of this.#awaitingDrain.splice(0)) done(error);
    this.#held.clear();
    this.#releaseReader();
  }
}

function connectionLost(cause?: Error): StreamError {
  return new StreamError('closed', 'the connection was lost', cause === undefined ? {} : { cause });
}

function idleFor(ms: number): StreamError {
  return new StreamError('timeout', `no traffic for ${ms} ms`);
}

function asStreamError(cause: unknown): StreamError {
  if (cause instanceof StreamError) return cause;
  return connectionLost(cause instanceof Error ? cause : new Error(String(cause)));
}
