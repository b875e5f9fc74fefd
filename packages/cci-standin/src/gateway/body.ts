import type { IncomingMessage } from 'node:http';

/** The most that may be signed; larger bodies would need a token, and nothing of CCI is larger. */
const largestBytes = 12 * 1024 * 1024;

/** The whole body; undefined when it is too large. It is read to its end all the same, or nobody would hear the answer. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size <= largestBytes) chunks.push(chunk);
  }
  return size > largestBytes ? undefined : Buffer.concat(chunks);
}
