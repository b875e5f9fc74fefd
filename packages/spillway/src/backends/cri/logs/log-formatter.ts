import type { LogOptions } from '../../backend.ts';
import { type CriRecord, fixedNanoseconds, parseRecord } from './cri-record.ts';
import { LineSplitter } from './line-splitter.ts';

const newline = Buffer.from('\n');
/** A line without an end is handed on in pieces of this size instead of being kept. */
const maxHeldBytes = 1024 * 1024;

type FormatOptions = Pick<LogOptions, 'timestamps' | 'stream' | 'sinceTime' | 'limitBytes'>;

/**
 * Turns the bytes of a CRI log file into what the reader asked for: partial records joined to lines, the streams kept apart
 * until a line is whole, then filtered, stamped and cut off at the limit.
 */
export class LogFormatter {
  readonly #options: FormatOptions;
  readonly #splitter = new LineSplitter();
  readonly #held = { stdout: new HeldLine(), stderr: new HeldLine() };
  #since: number | undefined;
  #left: number;

  constructor(options: FormatOptions) {
    this.#options = options;
    this.#since = options.sinceTime?.getTime();
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** True once the limit is reached: nothing more will come. */
  get done(): boolean {
    return this.#left <= 0;
  }

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    for (const line of this.#splitter.push(chunk)) {
      const record = parseRecord(line);
      if (record && this.#wants(record)) this.#add(record, out);
    }
    return this.#limit(Buffer.concat(out));
  }

  /** What is left when the log has ended: lines whose end was never written. */
  end(): Buffer {
    return this.#limit(Buffer.concat([...this.#held.stdout.take(), ...this.#held.stderr.take()]));
  }

  #wants({ stream, timestamp }: CriRecord): boolean {
    const { stream: wanted } = this.#options;
    if (wanted !== 'All' && wanted.toLowerCase() !== stream) return false;
    if (this.#since === undefined) return true;
    if (Date.parse(timestamp) < this.#since) return false;
    // Records are in the order of time: the first that is late enough ends the search.
    this.#since = undefined;
    return true;
  }

  #add(record: CriRecord, out: Buffer[]): void {
    const held = this.#held[record.stream];
    if (!held.open && this.#options.timestamps) held.add(Buffer.from(`${fixedNanoseconds(record.timestamp)} `));
    held.add(record.content);
    held.open = record.partial;
    if (!record.partial) held.add(newline);
    if (!record.partial || held.size > maxHeldBytes) out.push(...held.take());
  }

  #limit(bytes: Buffer): Buffer {
    const kept = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= kept.length;
    return kept;
  }
}

class HeldLine {
  /** Whether the line has begun and has not ended. */
  open = false;
  size = 0;
  #parts: Buffer[] = [];

  add(part: Buffer): void {
    this.#parts.push(part);
    this.size += part.length;
  }

  take(): Buffer[] {
    const parts = this.#parts;
    this.#parts = [];
    this.size = 0;
    return parts;
  }
}
