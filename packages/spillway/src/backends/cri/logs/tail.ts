import { type FileHandle, open } from 'node:fs/promises';
import type { LogOptions } from '../../backend.ts';
import { parseRecord } from './cri-record.ts';

const newline = 0x0a;
const blockBytes = 64 * 1024;

export interface LogPosition {
  /** Index into the list of files. */
  readonly file: number;
  readonly offset: number;
}

/** Where the last `lines` lines begin, found by reading backwards. Records that make up one line count once. */
export async function tailPosition(
  files: readonly string[],
  lines: number,
  stream: LogOptions['stream'],
): Promise<LogPosition> {
  const counter = new LineCounter(lines, stream);
  for (let file = files.length - 1; file >= 0; file--) {
    const path = files[file];
    const handle = path === undefined ? undefined : await open(path);
    try {
      const offset = handle && (await scanBackwards(handle, counter));
      if (offset !== undefined) return { file, offset };
    } finally {
      await handle?.close();
    }
  }
  return { file: 0, offset: 0 };
}

/** Counts lines from the last to the first record. */
class LineCounter {
  #left: number;
  readonly #stream: LogOptions['stream'];
  #seen = false;

  constructor(lines: number, stream: LogOptions['stream']) {
    this.#left = lines;
    this.#stream = stream;
  }

  /** True when the record before which we stand no longer belongs to the wanted lines. */
  isBefore(line: Buffer): boolean {
    const record = parseRecord(line);
    if (!record || (this.#stream !== 'All' && this.#stream.toLowerCase() !== record.stream)) return false;
    // A full record ends a line; a partial one at the very end is a line that has not ended.
    if (!record.partial || !this.#seen) this.#left -= 1;
    this.#seen = true;
    return this.#left < 0;
  }
}

/** The offset after the last record that is not wanted; undefined when all of the file is. */
async function scanBackwards(handle: FileHandle, counter: LineCounter): Promise<number | undefined> {
  let start = (await handle.stat()).size;
  let carried: Buffer = Buffer.alloc(0);
  while (start > 0) {
    const length = Math.min(blockBytes, start);
    start -= length;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, start);
    const data = Buffer.concat([buffer.subarray(0, bytesRead), carried]);
    let end = data.lastIndexOf(newline);
    // Behind the last newline there is at most a record that is still being written.
    while (end > 0) {
      const before = data.lastIndexOf(newline, end - 1);
      if (before === -1) break;
      if (counter.isBefore(data.subarray(before + 1, end))) return start + end + 1;
      end = before;
    }
    carried = data.subarray(0, end + 1);
    if (start === 0 && end > 0 && counter.isBefore(data.subarray(0, end))) return end + 1;
  }
  return undefined;
}
