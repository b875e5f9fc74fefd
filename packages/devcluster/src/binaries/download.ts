import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { DevClusterError } from '../errors.ts';
import { run } from '../exec.ts';
import type { Download } from './catalogue.ts';

const reachTimeoutMs = 3_000;

/** The published SHA-256 of a download, or undefined when its site cannot be reached: then it is built instead. */
export async function publishedChecksum(download: Download, signal?: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.timeout(reachTimeoutMs);
  try {
    const response = await fetch(download.checksumUrl, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
    if (!response.ok) return undefined;
    return parseChecksum(await response.text(), basename(new URL(download.url).pathname));
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/** Understands a bare digest and the lines of `sha256sum`. */
export function parseChecksum(text: string, file: string): string | undefined {
  for (const line of text.split('\n')) {
    const [digest, name] = line.trim().split(/\s+\*?/);
    if (digest !== undefined && /^[0-9a-f]{64}$/.test(digest) && (name === undefined || basename(name) === file)) {
      return digest;
    }
  }
  return undefined;
}

/** Fetches, compares with the checksum, and leaves the program at `path`. Nothing is at `path` when it rejects. */
export async function fetchBinary(
  download: Download,
  sha256: string,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const response = await fetch(download.url, signal ? { signal } : {});
  if (!response.ok || response.body === null) {
    throw new DevClusterError('binary', `${download.url} answered ${response.status}`);
  }
  const body: ReadableStream<Uint8Array> = response.body;
  const partial = `${path}.partial`;
  const hash = createHash('sha256');
  const tee = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
  await pipeline(Readable.fromWeb(body), tee, createWriteStream(partial));
  const actual = hash.digest('hex');
  if (actual !== sha256) {
    await rm(partial, { force: true });
    throw new DevClusterError(
      'binary',
      `${download.url} has SHA-256 ${actual}, its publisher says ${sha256}; it was thrown away. Try again, or build it: install Go`,
    );
  }
  if (download.member === undefined) return rename(partial, path);
  const unpacked = join(dirname(path), 'unpacked');
  await mkdir(unpacked, { recursive: true });
  await run('tar', ['-xzf', partial, '-C', unpacked, download.member]);
  await rename(join(unpacked, download.member), path);
}
