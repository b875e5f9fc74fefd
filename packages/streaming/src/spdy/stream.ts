import { Readable, Writable } from 'node:stream';
import { StreamError } from '../errors.ts';
import { rstStatus } from './frames.ts';
import type { HeaderMap } from './header-block.ts';

/** What a stream needs of its connection. */
export interface StreamCarrier {
  /** Calls `done` when the connection can take more. */
  sendData(streamId: number, chunks: readonly Buffer[], fin: boolean, done: (error?: Error) => void): void;
  sendReset(streamId: number, status: number): void;
  /** The reader of this stream is behind: nothing more may be read from the connection until {@link proceed}. */
  hold(stream: SpdyStream): void;
  proceed(stream: SpdyStream): void;
  /** Neither side will send on this stream any more. */
  release(stream: SpdyStream): void;
}

export interface SpdyStreamOptions {
  readonly id: number;
  readonly headers: HeaderMap;
  readonly carrier: StreamCarrier;
  /** Bytes to hold for a reader that is behind before the whole connection waits for it. */
  readonly highWaterMark: number;
}

/**
 * One stream of a connection: two halves that end independently.
 *
 * - `writable.end()` closes our half; `writable.destroy()` before that resets the stream.
 * - `readable` ends when the peer closes its half. After `readable.destroy()` what the peer still sends is thrown away, so that
 *   other streams of the connection are not held up.
 * - A reset or the loss of the connection destroys both halves with an error, which needs no listener.
 */
export class SpdyStream {
  readonly id: number;
  readonly headers: HeaderMap;
  readonly readable: Readable;
  readonly writable: Writable;
  readonly #carrier: StreamCarrier;
  #sentFin = false;
  #receivedFin = false;

  constructor(options: SpdyStreamOptions) {
    const { id, headers, carrier, highWaterMark } = options;
    this.id = id;
    this.headers = headers;
    this.#carrier = carrier;
    this.readable = new Readable({
      highWaterMark,
      read: () => carrier.proceed(this),
      destroy: (error, done) => {
        carrier.proceed(this);
        done(error);
      },
    });
    this.writable = new Writable({
      highWaterMark,
      decodeStrings: true,
      write: (chunk: Buffer, _encoding, done) => carrier.sendData(id, [chunk], false, done),
      writev: (items, done) => carrier.sendData(id, buffers(items), false, done),
      final: (done) => this.#finish(done),
      destroy: (error, done) => {
        // Destroying a half that was ended properly is how Node cleans up, and tells the peer nothing.
        if (!this.#sentFin) this.#abandon(rstStatus.cancel);
        done(error);
      },
    });
    for (const half of [this.readable, this.writable]) half.on('error', () => {});
  }

  /** Ends both halves at once and tells the peer. */
  reset(status: number = rstStatus.cancel): void {
    this.#abandon(status);
    this.writable.destroy(streamReset());
  }

  /** A data frame of the peer, or a piece of one. */
  receive(payload: Buffer, fin: boolean): void {
    if (this.#receivedFin) return;
    if (payload.length > 0 && !this.readable.destroyed && !this.readable.push(payload)) this.#carrier.hold(this);
    if (!fin) return;
    this.#receivedFin = true;
    if (!this.readable.destroyed) this.readable.push(null);
    if (this.#sentFin) this.#carrier.release(this);
  }

  /** The peer is done with the stream in both directions. What arrived before stays readable, however late it is read. */
  endByPeer(error: Error): void {
    if (!this.#receivedFin && !this.readable.destroyed) this.readable.push(null);
    this.#receivedFin = true;
    this.break(error);
  }

  /** The peer reset the stream, or the connection is gone. What arrived completely stays readable. */
  break(error: Error): void {
    if (!this.#receivedFin) this.readable.destroy(error);
    if (!this.#sentFin) this.writable.destroy(error);
    this.#receivedFin = true;
    this.#sentFin = true;
    this.#carrier.release(this);
  }

  #finish(done: (error?: Error) => void): void {
    this.#sentFin = true;
    this.#carrier.sendData(this.id, [], true, done);
    if (this.#receivedFin) this.#carrier.release(this);
  }

  #abandon(status: number): void {
    if (this.#sentFin && this.#receivedFin) return;
    if (!this.#receivedFin) this.readable.destroy(streamReset());
    this.#receivedFin = true;
    this.#sentFin = true;
    this.#carrier.sendReset(this.id, status);
    this.#carrier.release(this);
  }
}

function streamReset(): StreamError {
  return new StreamError('closed', 'the stream was reset');
}

/** What `writev` gets, with strings decoded. */
function buffers(items: readonly { readonly chunk: Buffer }[]): Buffer[] {
  return items.map((item) => item.chunk);
}
