export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** Longest text between two complete sizes; one takes some 30 bytes. */
const maxPending = 1024;

/** Reads `{"Width":80,"Height":24}{"Width":…}`, cut anywhere, with or without white space between. Malformed ones are left out. */
export class TerminalSizeParser {
  #pending = '';

  feed(bytes: Buffer): TerminalSize[] {
    const objects = (this.#pending + bytes.toString('latin1')).split('}');
    this.#pending = (objects.pop() ?? '').slice(-maxPending);
    return objects.flatMap((text) => parseSize(`${text}}`) ?? []);
  }
}

/**
 * The sizes of one terminal. Whoever is slow sees only the newest: sizes in between mean nothing to a terminal, and nothing
 * has to be queued.
 */
export class TerminalSizes implements AsyncIterable<TerminalSize> {
  #newest: TerminalSize | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  push(size: TerminalSize): void {
    this.#newest = size;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TerminalSize, void, undefined> {
    for (;;) {
      const size = this.#newest;
      this.#newest = undefined;
      if (size !== undefined) yield size;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

function parseSize(text: string): TerminalSize | undefined {
  try {
    const { Width: width, Height: height }: { Width?: unknown; Height?: unknown } = JSON.parse(text);
    return isDimension(width) && isDimension(height) ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

function isDimension(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 0xff_ff;
}
