import type { IncomingMessage } from 'node:http';
import { addressGroup } from '../https/address-group.ts';
import { Malformed } from './malformed.ts';

export interface BodyRoomOptions {
  /** Of one body. */
  readonly maxBytes: number;
  /** Of all bodies that are read or wait for their answer, half of it for one address. */
  readonly maxBytesAtOnce: number;
}

/** Counted for a small body, for a request is not free either. */
const leastBytes = 16 * 1024;

/** Reads bodies as far as there is room for them at the same time. */
export class BodyRoom {
  readonly #options: BodyRoomOptions;
  readonly #byAddress = new Map<string, number>();
  #taken = 0;

  constructor(options: BodyRoomOptions) {
    this.#options = options;
  }

  /**
   * Its room is taken until `work` is done.
   *
   * @throws {Malformed} 413, 503, and 408 when `signal` is aborted before the end of the body
   */
  async hold<T>(request: IncomingMessage, signal: AbortSignal, work: (body: Buffer) => Promise<T>): Promise<T> {
    const { maxBytes } = this.#options;
    const tooLarge = new Malformed(413, `the request is larger than ${maxBytes} bytes`);
    const address = addressGroup(request.socket.remoteAddress);
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxBytes) throw tooLarge;
    let room = Math.max(leastBytes, announced);
    this.#take(address, room);
    const late = (): void => void request.destroy(new Malformed(408, 'the request took too long'));
    signal.addEventListener('abort', late, { once: true });
    try {
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBytes) throw tooLarge;
        if (length > room) {
          this.#take(address, chunk.length);
          room += chunk.length;
        }
        chunks.push(chunk);
      }
      signal.removeEventListener('abort', late);
      return await work(Buffer.concat(chunks));
    } finally {
      signal.removeEventListener('abort', late);
      this.#take(address, -room);
    }
  }

  #take(address: string, bytes: number): void {
    const { maxBytesAtOnce } = this.#options;
    const own = (this.#byAddress.get(address) ?? 0) + bytes;
    if (bytes > 0 && (own > maxBytesAtOnce / 2 || this.#taken + bytes > maxBytesAtOnce)) {
      throw new Malformed(503, 'too many requests at the same time, try again');
    }
    this.#taken += bytes;
    if (own === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, own);
  }
}
