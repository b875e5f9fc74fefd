import { open } from 'node:fs/promises';
import path from 'node:path';
import { type Interval, keyOf, parseLine } from './interval.ts';

/** A pool's ledger goes on in a new file when the current one has grown to this; the oldest of `keptFiles` goes. */
export const maxFileBytes: number = 64 * 2 ** 20;
const keptFiles = 4;

export function ledgerFile(directory: string, pool: string): string {
  return path.join(directory, `${pool}.jsonl`);
}

/** `file` and those before it, the oldest first. */
export function generationsOf(file: string): readonly string[] {
  const older = Array.from({ length: keptFiles - 1 }, (_, index) => `${file}.${index + 1}`);
  return [file, ...older].toReversed();
}

/** Each interval as it was written last. A file that is not there has none. */
export async function readIntervals(files: readonly string[]): Promise<Map<string, Interval>> {
  const intervals = new Map<string, Interval>();
  for (const file of files) {
    for await (const line of linesOf(file)) {
      const interval = parseLine(line);
      if (interval) intervals.set(keyOf(interval), interval);
    }
  }
  return intervals;
}

async function* linesOf(file: string): AsyncIterable<string> {
  try {
    const handle = await open(file);
    // It closes the file at its end.
    yield* handle.readLines();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
