import type { Writable } from 'node:stream';

/** Writes as much as the stream takes, and tells how much it took. */
export function keepWriting(stream: Writable, chunk: Buffer = Buffer.alloc(100_000)): () => number {
  let accepted = 0;
  const write = (): void => {
    while (!stream.destroyed && stream.write(chunk, () => (accepted += chunk.length)));
    stream.once('drain', write);
  };
  write();
  return () => accepted;
}
