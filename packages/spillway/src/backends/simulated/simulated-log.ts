import type { LogOptions, LogSink } from '../backend.ts';

interface Line {
  readonly time: number;
  readonly stream: 'Stdout' | 'Stderr';
  /** A character for each byte: a Buffer of some bytes keeps the 64 KiB alive that Node.js cuts such Buffers from. */
  readonly text: string;
}

/** Lines kept for each container; older ones are forgotten. */
const maxLines = 1000;

/** The output of one attempt of a container. */
export class SimulatedLog {
  #lines: Line[] = [];
  #ended = false;
  #forgotten = 0;
  #more: PromiseWithResolvers<void> | undefined;

  write(time: number, stream: Line['stream'], text: Uint8Array): void {
    this.#lines.push({ time, stream, text: Buffer.from(text).toString('latin1') });
    if (this.#lines.length > 2 * maxLines) {
      this.#forgotten += this.#lines.length - maxLines;
      this.#lines = this.#lines.slice(-maxLines);
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async read(options: LogOptions, sink: LogSink, signal: AbortSignal): Promise<void> {
    const { follow, timestamps, tailLines, limitBytes = Number.POSITIVE_INFINITY, since, stream } = options;
    const wanted = (line: Line): boolean =>
      (stream === 'All' || stream === line.stream) && (since === undefined || BigInt(line.time) * 1_000_000n >= since);
    const present = this.#lines.filter(wanted);
    const skipped = tailLines === undefined ? 0 : Math.max(present.length - tailLines, 0);
    let left = limitBytes;
    const lastSkipped = present[skipped - 1];
    let position = this.#forgotten + (lastSkipped ? this.#lines.indexOf(lastSkipped) + 1 : 0);
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        this.#more ??= Promise.withResolvers();
        const more = this.#more.promise;
        const lines = this.#lines.slice(Math.max(position - this.#forgotten, 0)).filter(wanted);
        position = this.#forgotten + this.#lines.length;
        for (const { time, text } of lines) {
          const stamped = Buffer.from(timestamps ? `${stamp(time)} ${text}` : text, 'latin1');
          await sink.write(stamped.subarray(0, left));
          left -= stamped.length;
          if (left <= 0) return;
        }
        if (signal.aborted || !follow || (this.#ended && position === this.#forgotten + this.#lines.length)) return;
        await more;
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #wake(): void {
    this.#more?.resolve();
    this.#more = undefined;
  }
}

function stamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, -1)}000000Z`;
}
