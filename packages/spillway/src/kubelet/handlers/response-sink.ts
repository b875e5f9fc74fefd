import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LogSink } from '../../backends/backend.ts';

/**
 * Writes a response as a stream, each piece at once, and no faster than the client reads. The head goes out with the first
 * piece, so that a failure before it can still be answered with a status of its own.
 */
export class ResponseSink implements LogSink {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;

  /** @param signal aborted when the client is gone */
  constructor(response: ServerResponse, signal: AbortSignal) {
    this.#response = response;
    this.#signal = signal;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#response.write(chunk)) await once(this.#response, 'drain', { signal: this.#signal });
  }
}
