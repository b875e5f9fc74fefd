/** A line that never ends is no watch event but a fault: etcd's objects are at most a few megabytes. */
const maxLineBytes = 64 * 1024 * 1024;

/**
 * Cuts a byte stream into lines. What has no end yet is kept as the chunks that came and joined once, when it has, so
 * that a long line in many chunks costs linear time.
 */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** The lines that end in this chunk, without their ends. Empty lines are left out. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      if (this.#restBytes > 0) {
        this.#rest.push(chunk.subarray(start, end));
        lines.push(this.#takeRest());
      } else if (end > start) {
        lines.push(chunk.toString('utf8', start, end));
      }
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#rest.push(chunk.subarray(start));
      this.#restBytes += chunk.length - start;
      if (this.#restBytes > maxLineBytes) throw new RangeError(`a line of more than ${maxLineBytes} bytes`);
    }
    return lines;
  }

  /** Bytes after the last line end */
  get pending(): number {
    return this.#restBytes;
  }

  #takeRest(): string {
    const line = Buffer.concat(this.#rest).toString('utf8');
    this.#rest = [];
    this.#restBytes = 0;
    return line;
  }
}
