import { appendFile, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@spillway/kube';
import { generationsOf, maxFileBytes } from './files.ts';
import { formatLine, type Interval } from './interval.ts';

export interface LedgerWriterOptions {
  readonly file: string;
  /** What a new file begins with: all that is needed to go on without the older ones. */
  readonly carried: () => Iterable<Interval>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  /** Default: 64 MiB. */
  readonly maxBytes?: number;
}

const retryMs = 5000;
/** While the file cannot be written no more lines than these wait. */
const maxWaiting = 100_000;

/** Appends lines to a file, in the order in which they come, and never keeps who writes. */
export class LedgerWriter {
  readonly #options: LedgerWriterOptions;
  readonly #closing = new AbortController();
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  /** Of the current file; undefined: it was not looked at yet. */
  #bytes: number | undefined;
  #dropped = 0;

  constructor(options: LedgerWriterOptions) {
    this.#options = options;
  }

  write(intervals: readonly Interval[]): void {
    for (const interval of intervals) {
      if (this.#waiting.length < maxWaiting) this.#waiting.push(formatLine(interval));
      else this.#dropped += 1;
    }
    if (this.#waiting.length > 0) this.#writing ??= this.#writeAll();
  }

  /** Tries what waits for the last time. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { file, logger, sleep } = this.#options;
    const { signal } = this.#closing;
    let failing = false;
    while (this.#waiting.length > 0) {
      const last = signal.aborted;
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(lines.join(''));
        if (failing) logger.info({ file, dropped: this.#dropped }, 'the ledger is written again');
        failing = false;
      } catch (error) {
        this.#bytes = undefined;
        this.#waiting = [...lines, ...this.#waiting];
        if (!failing) logger.error({ err: error, file }, 'the ledger cannot be written; trying again');
        failing = true;
        if (last) break;
        await sleep(retryMs, signal);
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    const { file, maxBytes = maxFileBytes } = this.#options;
    this.#bytes ??= await prepare(file);
    if (this.#bytes >= maxBytes) this.#bytes = await this.#rotate();
    await appendFile(file, text, { mode: 0o640 });
    this.#bytes += Buffer.byteLength(text);
  }

  /** A crash in the middle loses nothing: who goes on reads the older files too. */
  async #rotate(): Promise<number> {
    const { file, carried } = this.#options;
    const text = Array.from(carried(), formatLine).join('');
    await writeFile(`${file}.new`, text, { mode: 0o640 });
    const [oldest = file, ...younger] = generationsOf(file);
    await rm(oldest, { force: true });
    let to = oldest;
    for (const from of younger) {
      await rename(from, to).catch(unlessMissing);
      to = from;
    }
    await rename(`${file}.new`, file);
    return Buffer.byteLength(text);
  }
}

/** Resolves with the size. A line that was torn is ended, so that the next one is whole. */
async function prepare(file: string): Promise<number> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, 'a+', 0o640);
  try {
    const { size } = await handle.stat();
    if (size === 0) return 0;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer.toString() === '\n') return size;
    await handle.appendFile('\n');
    return size + 1;
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
