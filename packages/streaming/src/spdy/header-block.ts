import { constants, createInflate, type Inflate } from 'node:zlib';
import { StreamError } from '../errors.ts';
import { headerDictionary } from './dictionary.ts';

/** Names in lower case. A value with NUL bytes in it is several values; Kubernetes sends single ones. */
export type HeaderMap = ReadonlyMap<string, string>;

export interface HeaderLimits {
  /** Size of one header block when it is decompressed; default 16 KiB. */
  readonly maxHeaderBytes: number;
}

/** The uncompressed form: the count, then each name and value after its length. All numbers have 32 bits. */
export function formatHeaders(headers: HeaderMap): Buffer {
  const parts = [uint32(headers.size)];
  for (const [name, value] of headers) {
    for (const item of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(item, 'utf8');
      parts.push(uint32(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

/** @throws {StreamError} `protocol` */
export function parseHeaders(block: Buffer): HeaderMap {
  let offset = 0;
  const take = (length: number): Buffer => {
    if (length > block.length - offset) throw new StreamError('protocol', 'SPDY header block ends too early');
    offset += length;
    return block.subarray(offset - length, offset);
  };
  const headers = new Map<string, string>();
  for (let left = take(4).readUInt32BE(0); left > 0; left--) {
    const name = take(take(4).readUInt32BE(0)).toString('utf8').toLowerCase();
    headers.set(name, take(take(4).readUInt32BE(0)).toString('utf8'));
  }
  if (offset !== block.length) throw new StreamError('protocol', 'SPDY header block is longer than its headers');
  return headers;
}

/**
 * Writes the header blocks of one connection, which together are one zlib stream. It does not compress: every block is a
 * stored one. An empty stored block follows, because Go's inflater hands nothing out before it has seen the next block.
 */
export class HeaderEncoder {
  #started = false;

  encode(headers: HeaderMap): Buffer {
    const body = formatHeaders(headers);
    if (body.length > 0xff_ff) throw new StreamError('limit', 'SPDY header block is longer than 64 KiB');
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(body.length, 1);
    stored.writeUInt16LE(body.length ^ 0xff_ff, 3);
    const start = this.#started ? [] : [zlibHeader];
    this.#started = true;
    return Buffer.concat([...start, stored, body, emptyStoredBlock]);
  }
}

/** Reads the header blocks of one connection, which together are one zlib stream; one call after the other. */
export class HeaderDecoder {
  readonly #limits: HeaderLimits;
  readonly #inflate: Inflate;
  #output: Buffer[] = [];
  #size = 0;
  #fail: (error: Error) => void = () => {};

  constructor(limits: Partial<HeaderLimits> = {}) {
    this.#limits = { maxHeaderBytes: 16 * 1024, ...limits };
    const flush = constants.Z_SYNC_FLUSH;
    this.#inflate = createInflate({ dictionary: headerDictionary, flush, finishFlush: flush });
    this.#inflate.on('error', (cause) => this.#fail(undecodable(cause)));
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#size += chunk.length;
      if (this.#size <= this.#limits.maxHeaderBytes) this.#output.push(chunk);
      else this.#exceeded();
    });
  }

  /** @throws {StreamError} `protocol` or `limit`; the decoder is of no use afterwards */
  async decode(block: Buffer): Promise<HeaderMap> {
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject;
      this.#inflate.write(block, (cause) => (cause ? reject(undecodable(cause)) : resolve()));
    });
    const bytes = Buffer.concat(this.#output);
    this.#output = [];
    this.#size = 0;
    return parseHeaders(bytes);
  }

  close(): void {
    this.#fail(new StreamError('closed', 'the connection was closed'));
    this.#inflate.destroy();
  }

  /** Stops inflating, so that a few bytes which stand for megabytes do no harm. */
  #exceeded(): void {
    this.#output = [];
    const limit = this.#limits.maxHeaderBytes;
    this.#fail(new StreamError('limit', `SPDY header block is longer than the ${limit} bytes that are accepted`));
    this.#inflate.destroy();
  }
}

function undecodable(cause: Error): StreamError {
  return new StreamError('protocol', 'SPDY header block cannot be decompressed', { cause });
}

/** CMF and FLG with a preset dictionary, then the dictionary's Adler-32. RFC 1950. */
const zlibHeader = ((): Buffer => {
  const header = Buffer.from([0x78, 0x20, 0, 0, 0, 0]);
  header.writeUInt8(0x20 | (31 - (header.readUInt16BE(0) % 31)), 1);
  header.writeUInt32BE(adler32(headerDictionary), 2);
  return header;
})();

const emptyStoredBlock = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff]);

function adler32(bytes: Buffer): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

function uint32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeUInt32BE(value, 0);
  return buffer;
}
