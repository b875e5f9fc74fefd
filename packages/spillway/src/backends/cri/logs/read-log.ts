import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogOptions, LogSink } from '../../backend.ts';
import { hasErrorCode } from '../../errno.ts';
import { inodeOf, logFiles } from './log-files.ts';
import { LogFormatter } from './log-formatter.ts';
import { type LogPosition, tailPosition } from './tail.ts';

const chunkBytes = 64 * 1024;
/** A change may go unnoticed (network file systems, exhausted watches), so a follower also looks by itself. */
const lookAgainMs = 1000;

export type ReadLogOptions = Pick<
  LogOptions,
  'follow' | 'timestamps' | 'tailLines' | 'limitBytes' | 'sinceTime' | 'stream'
>;

/**
 * Writes a container's log to the sink, rotated files included. A follow goes on through rotation until `ended` says that the
 * container writes no more and everything was read, until the limit, or until the signal aborts. No more is read than the
 * sink takes.
 */
export async function readLog(
  current: string,
  options: ReadLogOptions,
  sink: LogSink,
  ended: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const formatter = new LogFormatter(options);
  for await (const chunk of chunks(current, options, ended, signal)) {
    const text = formatter.push(chunk);
    if (text.length > 0) await sink.write(text);
    if (formatter.done) return;
  }
  const rest = signal.aborted ? Buffer.alloc(0) : formatter.end();
  if (rest.length > 0) await sink.write(rest);
}

async function* chunks(
  current: string,
  { follow, tailLines, stream }: ReadLogOptions,
  ended: () => boolean,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const files = await logFiles(current);
  const start = tailLines === undefined ? { file: 0, offset: 0 } : await tailPosition(files, tailLines, stream);
  const changes = follow ? new Changes(dirname(current), signal) : undefined;
  const cursor = new LogCursor(current, files, start);
  try {
    let last = !follow;
    while (!signal.aborted) {
      // Asked before the read: what was written before the end is then certainly read.
      last ||= ended();
      let chunk = await cursor.read();
      while (chunk && !signal.aborted) {
        yield chunk;
        chunk = await cursor.read();
      }
      if (last) return;
      await changes?.next();
    }
  } finally {
    changes?.close();
    await cursor.close();
  }
}

/** Reads the files one after the other, and goes to the next when the current one was rotated away. */
class LogCursor {
  readonly #current: string;
  #path: string | undefined;
  #handle: FileHandle | undefined;
  #inode: bigint | undefined;
  #offset: number;

  constructor(current: string, files: readonly string[], start: LogPosition) {
    this.#current = current;
    this.#path = files[start.file];
    this.#offset = start.offset;
  }

  /** Undefined at the end of what there is now. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      if (!this.#handle && !(await this.#open())) return undefined;
      const chunk = await this.#readOn();
      if (chunk) return chunk;
      const next = await this.#successor();
      if (next === undefined) return undefined;
      // The runtime may have written its last lines between our read and the rotation.
      const rest = await this.#readOn();
      if (rest) return rest;
      await this.close();
      this.#path = next;
      this.#offset = 0;
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #open(): Promise<boolean> {
    const path = this.#path ?? (await logFiles(this.#current))[0];
    if (path === undefined) return false;
    try {
      this.#handle = await open(path);
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
      // Rotated or removed since it was listed.
      this.#path = undefined;
      this.#offset = 0;
      return false;
    }
    this.#inode = (await this.#handle.stat({ bigint: true })).ino;
    return true;
  }

  async #readOn(): Promise<Buffer | undefined> {
    const { buffer, bytesRead } =
      (await this.#handle?.read(Buffer.alloc(chunkBytes), 0, chunkBytes, this.#offset)) ?? {};
    if (!buffer || !bytesRead) return undefined;
    this.#offset += bytesRead;
    return buffer.subarray(0, bytesRead);
  }

  /** The file after the one that is open; undefined when that is the current one, and nothing followed it yet. */
  async #successor(): Promise<string | undefined> {
    if ((await inodeOf(this.#current)) === this.#inode) return undefined;
    const files = await logFiles(this.#current);
    const inodes = await Promise.all(files.map(inodeOf));
    const index = this.#inode === undefined ? -1 : inodes.indexOf(this.#inode);
    return files[index + 1];
  }
}

/** Resolves when something in the folder has changed since the last time. */
class Changes {
  readonly #signal: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(directory: string, signal: AbortSignal) {
    this.#signal = signal;
    try {
      this.#watcher = watch(directory, { persistent: false }, () => this.#changed.resolve());
      this.#watcher.on('error', () => this.#changed.resolve());
    } catch {
      // Without a watch the timer alone finds what is new.
    }
    signal.addEventListener('abort', this.#wake, { once: true });
  }

  async next(): Promise<void> {
    if (this.#signal.aborted) return;
    const timer = new AbortController();
    await Promise.race([
      this.#changed.promise,
      delay(lookAgainMs, undefined, { signal: timer.signal }).catch(() => undefined),
    ]);
    timer.abort();
    this.#changed = Promise.withResolvers<void>();
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#wake);
    this.#watcher?.close();
  }

  readonly #wake = (): void => this.#changed.resolve();
}
