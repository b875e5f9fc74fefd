import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamError } from '../errors.ts';
import { FrameParser } from './frame-parser.ts';
import {
  encodeDataHeader,
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSynReply,
  encodeSynStream,
  type Frame,
} from './frames.ts';

/** What moby/spdystream 0.5.1, the library of kubectl and containerd, writes for one stream, data, FIN, PING, RST and GOAWAY. */
const fromGo =
  '80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff' +
  '000000030000000668656c6c6f0a' +
  '0000000301000000' +
  '800300060000000400000001' +
  '80030003000000080000000900000005' +
  '80030007000000080000000000000000';

function parse(chunks: readonly Buffer[]): Frame[] {
  const parser = new FrameParser();
  return chunks.flatMap((chunk) => [...parser.feed(chunk)]);
}

/** Joins the pieces in which data frames arrive. */
function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    if (last?.type === 'data' && frame.type === 'data' && last.streamId === frame.streamId && !last.fin) {
      result[result.length - 1] = { ...frame, payload: Buffer.concat([last.payload, frame.payload]) };
    } else {
      result.push(frame);
    }
  }
  return result;
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

const streamId = fc.integer({ min: 1, max: 0x7f_ff_ff_ff });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const frame: fc.Arbitrary<[wire: Buffer, frame: Frame]> = fc.oneof(
  fc.tuple(streamId, bytes, fc.boolean()).map(([id, payload, fin]): [Buffer, Frame] => {
    const wire = Buffer.concat([encodeDataHeader(id, payload.length, fin), payload]);
    return [wire, { type: 'data', streamId: id, fin, payload }];
  }),
  fc.tuple(streamId, bytes, fc.boolean()).map(([id, headerBlock, fin]): [Buffer, Frame] => {
    return [encodeSynStream(id, headerBlock, fin), { type: 'synStream', streamId: id, fin, headerBlock }];
  }),
  fc.tuple(streamId, bytes, fc.boolean()).map(([id, headerBlock, fin]): [Buffer, Frame] => {
    return [encodeSynReply(id, headerBlock, fin), { type: 'synReply', streamId: id, fin, headerBlock }];
  }),
  fc.tuple(streamId, fc.integer({ min: 1, max: 11 })).map(([id, status]): [Buffer, Frame] => {
    return [encodeRstStream(id, status), { type: 'rstStream', streamId: id, status }];
  }),
  fc.nat().map((id): [Buffer, Frame] => [encodePing(id), { type: 'ping', id }]),
  fc.tuple(streamId, fc.nat({ max: 2 })).map(([id, status]): [Buffer, Frame] => {
    return [encodeGoAway(id, status), { type: 'goAway', lastStreamId: id, status }];
  }),
);

describe('frames', () => {
  test('are read as Go writes them', () => {
    expect(parse([Buffer.from(fromGo, 'hex')])).toMatchObject([
      { type: 'synStream', streamId: 1, fin: false, headerBlock: expect.objectContaining({ length: 31 }) },
      { type: 'data', streamId: 3, fin: false, payload: Buffer.from('hello\n') },
      { type: 'data', streamId: 3, fin: true, payload: Buffer.alloc(0) },
      { type: 'ping', id: 1 },
      { type: 'rstStream', streamId: 9, status: 5 },
      { type: 'goAway', lastStreamId: 0, status: 0 },
    ]);
  });

  test('are written as Go writes them', () => {
    const block = Buffer.from(fromGo.slice(36, 98), 'hex');
    const hello = Buffer.from('hello\n');
    const written = Buffer.concat([
      encodeSynStream(1, block, false),
      encodeDataHeader(3, hello.length, false),
      hello,
      encodeDataHeader(3, 0, true),
      encodePing(1),
      encodeRstStream(9, 5),
      encodeGoAway(0, 0),
    ]);
    expect(written.toString('hex')).toBe(fromGo);
  });

  test('come out the same however the network cuts the bytes', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        const wire = Buffer.concat(frames.map(([part]) => part));
        const parsed = parse(cut(wire, cuts));
        expect(joined(parsed)).toEqual(joined(frames.map(([, expected]) => expected)));
      }),
    );
  });

  test('come out the same one byte at a time', () => {
    const wire = Buffer.from(fromGo, 'hex');
    const single = [...wire].map((byte) => Buffer.from([byte]));
    expect(joined(parse(single))).toEqual(joined(parse([wire])));
  });

  test('of kinds that nobody needs are passed over', () => {
    const settings = Buffer.from('8003000400000014000000020000000000000000000000000000000000', 'hex').subarray(0, 28);
    const noop = Buffer.from('8003000500000000', 'hex');
    const windowUpdate = Buffer.from('80030009000000080000000100001000', 'hex');
    const parsed = parse([Buffer.concat([settings, noop, windowUpdate, encodePing(7)])]);
    expect(parsed.filter((parsedFrame) => parsedFrame.type !== 'ignored')).toEqual([{ type: 'ping', id: 7 }]);
  });
});

describe('a peer that breaks the rules is told apart from a connection error', () => {
  test.each([
    ['a control frame longer than the limit', '8003000100ffffff', 'limit'],
    ['another SPDY version', '8002000600000004', 'protocol'],
    ['data for stream 0', '0000000000000001', 'protocol'],
    ['a SYN_STREAM frame that is too short', '800300010000000400000001', 'protocol'],
    ['an empty PING frame', '8003000600000000', 'protocol'],
  ])('%s', (_name, hex, kind) => {
    const parser = new FrameParser();
    expect(() => [...parser.feed(Buffer.from(hex, 'hex'))]).toThrow(expect.objectContaining({ kind }));
  });

  test('no bytes at all make it fail otherwise than by a stream error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 10 }), (array, cuts) => {
        try {
          parse(cut(Buffer.from(array), cuts));
        } catch (error) {
          expect(error).toBeInstanceOf(StreamError);
        }
      }),
    );
  });
});
