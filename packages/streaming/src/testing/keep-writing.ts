import type { Writable } from 'node:stream';

/** Writes for ever, one chunk in each turn of the event loop that the stream takes, and tells how much it took. */
export function keepWriting(stream: Writable, chunk: Buffer = Buffer.alloc(100_000)): () => number {
  let accepted = 0;
  const write = (): void => {
    if (stream.destroyed) return;
    stream.write(chunk, () => {
      accepted += chunk.length;
      setImmediate(write);
    });
  };
  write();
  return () => accepted;
}
