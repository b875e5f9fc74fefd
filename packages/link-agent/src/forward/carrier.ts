import type { OnReadOpts, Socket } from 'node:net';

/** Read at once. */
const mostBytes = 128 * 1024;
const leastBytes = 8 * 1024;

interface Ends {
  readonly from: Socket;
  readonly to: Socket;
}

/**
 * One direction of a connection: what one socket receives is sent to the other, from one buffer. While it is on its way, nothing is
 * read. The buffer grows with what comes at once: most connections carry little.
 */
export class Carrier {
  /** How the socket reads from which this carries. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#buffer,
    callback: (bytes) => this.#received(bytes),
  };
  #buffer = Buffer.allocUnsafeSlow(leastBytes);
  #ends: Ends | undefined;
  #isWaiting = false;

  /** @param from was opened with {@link onread}, and is paused */
  start(from: Socket, to: Socket): void {
    this.#ends = { from, to };
    from.once('end', () => to.end());
    from.resume();
  }

  /** False: no more for now. */
  #received(bytes: number): boolean {
    if (this.#ends === undefined) return false;
    const { to } = this.#ends;
    to.write(this.#buffer.subarray(0, bytes), this.#sent);
    // Otherwise the kernel has taken it, and the buffer is free.
    this.#isWaiting = to.writableLength > 0;
    const size = nextBytes(this.#buffer.length, bytes);
    if (size !== this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(size);
    return !this.#isWaiting;
  }

  readonly #sent = (): void => {
    if (!this.#isWaiting || this.#ends === undefined || this.#ends.to.writableLength > 0) return;
    this.#isWaiting = false;
    this.#ends.from.resume();
  };
}

/** How large the buffer for the next read is. */
function nextBytes(size: number, filled: number): number {
  if (filled === size) return Math.min(size * 4, mostBytes);
  return filled <= leastBytes / 2 ? leastBytes : size;
}
