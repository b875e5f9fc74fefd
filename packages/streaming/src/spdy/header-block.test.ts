import { hash } from 'node:crypto';
import { constants, createDeflate } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { headerDictionary } from './dictionary.ts';
import { FrameParser } from './frame-parser.ts';
import { formatHeaders, HeaderDecoder, HeaderEncoder, type HeaderMap, parseHeaders } from './header-block.ts';

/** Five SYN_STREAM frames as kubectl opens them, written by moby/spdystream 0.5.1. */
const synStreamsFromGo =
  '80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff' +
  '800300010000001700000003000000000000c22e555c92929907000000ffff' +
  '800300010000001900000005000000000000c22ac5565c92925f5a02000000ffff' +
  '800300010000001500000007000000000000c229975a5404000000ffff' +
  '800300010000001800000009000000000000c22e57945a9c59950a000000ffff';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const headers: fc.Arbitrary<HeaderMap> = fc
  .uniqueArray(fc.tuple(name, fc.string({ maxLength: 50 })), { maxLength: 10, selector: ([key]) => key })
  .map((entries) => new Map(entries));

/** Compresses like Go does, one flush for each block. */
async function compress(blocks: readonly Buffer[]): Promise<Buffer[]> {
  const deflate = createDeflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH });
  const compressed: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => compressed.push(chunk));
  const result: Buffer[] = [];
  for (const block of blocks) {
    await new Promise<void>((resolve) => deflate.write(block, () => resolve()));
    result.push(Buffer.concat(compressed.splice(0)));
  }
  return result;
}

describe('the dictionary', () => {
  test('has the 1,423 bytes of the SPDY/3 draft', () => {
    expect(headerDictionary.length).toBe(1423);
    expect(hash('sha256', headerDictionary)).toBe('51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02');
  });
});

describe('header blocks', () => {
  test('of kubectl are read', async () => {
    const decoder = new HeaderDecoder();
    const types: (string | undefined)[] = [];
    for (const frame of new FrameParser().feed(Buffer.from(synStreamsFromGo, 'hex'))) {
      if (frame.type === 'synStream') types.push((await decoder.decode(frame.headerBlock)).get('streamtype'));
    }
    expect(types).toEqual(['error', 'stdin', 'stdout', 'stderr', 'resize']);
  });

  test('are stored blocks that begin with the zlib header and end with an empty block', () => {
    const encoder = new HeaderEncoder();
    const first = ['783fe3c6a7c2', '000400fbff', '00000000', '000000ffff'].join('');
    expect(encoder.encode(new Map()).toString('hex')).toBe(first);
    expect(encoder.encode(new Map()).toString('hex')).toBe(first.slice(12));
  });

  test('that we write are read again, one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 8 }), async (list) => {
        const encoder = new HeaderEncoder();
        const decoder = new HeaderDecoder();
        for (const item of list) expect(await decoder.decode(encoder.encode(item))).toEqual(item);
        decoder.close();
      }),
      { numRuns: 50 },
    );
  });

  test('that are really compressed are read, one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 8 }), async (list) => {
        const decoder = new HeaderDecoder();
        const blocks = await compress(list.map(formatHeaders));
        for (const [index, block] of blocks.entries()) expect(await decoder.decode(block)).toEqual(list[index]);
        decoder.close();
      }),
      { numRuns: 50 },
    );
  });

  test('that stand for far more than they weigh are refused before they are inflated', async () => {
    const [bomb] = await compress([Buffer.alloc(50_000_000)]);
    expect(bomb?.length).toBeLessThan(64 * 1024);
    const decoder = new HeaderDecoder({ maxHeaderBytes: 16 * 1024 });
    await expect(decoder.decode(bomb ?? Buffer.alloc(0))).rejects.toMatchObject({ kind: 'limit' });
  });

  test.each([
    ['no zlib stream', Buffer.from('hello')],
    ['another dictionary', Buffer.from('78bb00000001', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('of %s are a protocol error', async (_name, block) => {
    await expect(new HeaderDecoder().decode(block)).rejects.toMatchObject({ kind: 'protocol' });
  });

  test('of any bytes are headers or a protocol error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          parseHeaders(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ kind: 'protocol' });
        }
      }),
    );
  });
});
