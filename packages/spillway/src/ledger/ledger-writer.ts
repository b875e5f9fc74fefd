import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@spillway/kube';
import { generationsOf, maxFileBytes } from './files.ts';
import { formatLine, type Interval, keyOf } from './interval.ts';

export interface LedgerWriterOptions {
  readonly file: string;
  /** What runs, as it is known now. A new file begins with it, to go on without the older ones. */
  readonly carried: () => Iterable<Interval>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** After each attempt. */
  readonly onWritten?: (result: 'ok' | 'failed') => void;
  readonly logger: Logger;
  /** Default: 64 MiB. */
  readonly maxBytes?: number;
  /** Default: 100,000. */
  readonly maxWaiting?: number;
}

const retryMs = 5000;
/** What comes meanwhile is written together: each write is waited for until it is on the disk, which others use, too. */
const gatherMs = 500;
/** Of the attempts that fail: every ten minutes. */
const toldEvery = 120;
/** While the file cannot be written no more intervals than these wait, beside those that have ended. */
const defaultMaxWaiting = 100_000;

/**
 * Appends lines to a file and never keeps who writes. While that fails the newest state of each interval waits. Of more than
 * can wait, those that run are left out, for `carried` has them when the file can be written again; an end is never left out.
 */
export class LedgerWriter {
  readonly #options: LedgerWriterOptions;
  readonly #closing = new AbortController();
  /** By their keys; what came last is the last. */
  #waiting = new Map<string, Interval>();
  /** Intervals that run were left out. */
  #leftOut = false;
  #writing: Promise<void> | undefined;
  /** Of the current file; undefined: it was not looked at yet. */
  #bytes: number | undefined;

  constructor(options: LedgerWriterOptions) {
    this.#options = options;
  }

  write(intervals: Iterable<Interval>): void {
    for (const interval of intervals) {
      const key = keyOf(interval);
      this.#waiting.delete(key);
      this.#waiting.set(key, interval);
    }
    const { maxWaiting = defaultMaxWaiting } = this.#options;
    if (this.#waiting.size > maxWaiting) this.#leaveOutWhatRuns();
    if (this.#waiting.size > 0) this.#writing ??= this.#writeAll();
  }

  /** Tries what waits for the last time. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  #leaveOutWhatRuns(): void {
    this.#leftOut = true;
    for (const [key, { end }] of this.#waiting) if (end === undefined) this.#waiting.delete(key);
  }

  async #writeAll(): Promise<void> {
    const { file, logger, sleep, carried, onWritten } = this.#options;
    const { signal } = this.#closing;
    let failures = 0;
    while (this.#waiting.size > 0 || this.#leftOut) {
      const last = signal.aborted;
      const leftOut = this.#leftOut ? Array.from(carried(), (each) => [keyOf(each), each] as const) : [];
      const batch = new Map([...leftOut, ...this.#waiting]);
      this.#waiting = new Map();
      this.#leftOut = false;
      try {
        await this.#append(Array.from(batch.values(), formatLine).join(''));
        onWritten?.('ok');
        if (failures > 0) logger.info({ file, intervals: batch.size }, 'writing the ledger works again');
        failures = 0;
        if (!last) await sleep(gatherMs, signal);
      } catch (error) {
        onWritten?.('failed');
        this.#bytes = undefined;
        const since = this.#waiting;
        this.#waiting = batch;
        this.write(since.values());
        const about = { err: error, file, intervals: this.#waiting.size };
        if (last) {
          logger.error(about, 'cannot write the ledger; these intervals are missing from it');
          break;
        }
        if (failures % toldEvery === 0) logger.error(about, 'cannot write the ledger; intervals wait to be written');
        failures += 1;
        await sleep(retryMs, signal);
      }
    }
    this.#writing = undefined;
  }

  /** Resolves when the text is on the disk. */
  async #append(text: string): Promise<void> {
    const { file, maxBytes = maxFileBytes } = this.#options;
    this.#bytes ??= await prepare(file);
    if (this.#bytes >= maxBytes) this.#bytes = await this.#rotate();
    const handle = await open(file, 'a', 0o640);
    try {
      await handle.appendFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    this.#bytes += Buffer.byteLength(text);
  }

  /** A crash in the middle loses nothing: who goes on reads the older files too. */
  async #rotate(): Promise<number> {
    const { file, carried } = this.#options;
    const text = Array.from(carried(), formatLine).join('');
    await writeFile(`${file}.new`, text, { mode: 0o640, flush: true });
    const [oldest = file, ...younger] = generationsOf(file);
    await rm(oldest, { force: true });
    let to = oldest;
    for (const from of younger) {
      await rename(from, to).catch(unlessMissing);
      to = from;
    }
    await rename(`${file}.new`, file);
    await syncFolder(file);
    return Buffer.byteLength(text);
  }
}

/** That a file has its name is on the disk only then. */
async function syncFolder(file: string): Promise<void> {
  const handle = await open(path.dirname(file), 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Resolves with the size. A line that was torn is ended, so that the next one is whole. */
async function prepare(file: string): Promise<number> {
  await mkdir(path.dirname(file), { recursive: true });
  const handle = await open(file, 'a+', 0o640);
  try {
    const { size } = await handle.stat();
    if (size === 0) {
      await syncFolder(file);
      return 0;
    }
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
