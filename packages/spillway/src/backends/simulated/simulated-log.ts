import type { LogOptions, LogSink } from '../backend.ts';

interface Line {
  readonly time: number;
  readonly stream: 'Stdout' | 'Stderr';
  readonly text: Buffer;
}

/** Lines kept for each container; older ones are forgotten. */
const maxLines = 1000;

/** The output of one attempt of a container. */
export class SimulatedLog {
  #lines: Line[] = [];
  #ended = false;
  #forgotten = 0;
  #more = Promise.withResolvers<void>();

  write(time: number, stream: Line['stream'], text: Uint8Array): void {
    this.#lines.push({ time, stream, text: Buffer.from(text) });
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
        const more = this.#more.promise;
        const lines = this.#lines.slice(Math.max(position - this.#forgotten, 0)).filter(wanted);
        position = this.#forgotten + this.#lines.length;
        for (const { time, text } of lines) {
          const stamped = timestamps ? Buffer.concat([Buffer.from(`${stamp(time)} `), text]) : text;
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
    const { resolve } = this.#more;
    this.#more = Promise.withResolvers();
    resolve();
  }
}

function stamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, -1)}000000Z`;
}
