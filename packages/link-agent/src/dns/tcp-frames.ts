/** Messages in a stream: each after its length in two bytes (RFC 1035, 4.2.2). */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The messages that are complete. What is kept is less than one message of the longest form. */
  push(chunk: Buffer): readonly Buffer[] {
    const messages: Buffer[] = [];
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (rest.length >= 2) {
      const end = 2 + rest.readUInt16BE(0);
      if (rest.length < end) break;
      messages.push(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
    // A copy, so that the chunk is not held by a few bytes of it.
    this.#rest = Buffer.from(rest);
    return messages;
  }
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}
