/**
 * SPDY/3.1 frames, as far as Kubernetes uses them, and how they are written.
 *
 *     control frame                              data frame
 *     +1+---------------+----------------+       +0+-------------------------------+
 *     |1| version 3 (15)|   type (16)    |       |0|        stream id (31)         |
 *     +-+---------------+----------------+       +-+-------------------------------+
 *     | flags (8) |     length (24)      |       | flags (8) |    length (24)      |
 *     +-----------+----------------------+       +-----------+---------------------+
 *     | payload: length bytes            |       | payload: length bytes           |
 *
 * Header blocks are still compressed here: see header-block.ts.
 */
export type Frame =
  | { readonly type: 'synStream'; readonly streamId: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'synReply'; readonly streamId: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'headers'; readonly streamId: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
  /** A piece of a data frame: long frames come in as many pieces as the network made of them; `fin` is on the last one. */
  | { readonly type: 'data'; readonly streamId: number; readonly fin: boolean; readonly payload: Buffer }
  /** SETTINGS, WINDOW_UPDATE and what later versions may add: Kubernetes has no flow control on the wire. */
  | { readonly type: 'ignored'; readonly controlType: number };

export const controlType = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const;

export const rstStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

export const goAwayStatus = { ok: 0, protocolError: 1 } as const;

export const finFlag = 0x01;
export const frameHeaderLength = 8;
export const maxStreamId = 0x7f_ff_ff_ff;
export const spdyVersion = 3;

export function encodeSynStream(streamId: number, headerBlock: Buffer, fin: boolean): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt32BE(streamId, 0);
  return control(controlType.synStream, fin, [fixed, headerBlock]);
}

export function encodeSynReply(streamId: number, headerBlock: Buffer, fin: boolean): Buffer {
  return control(controlType.synReply, fin, [words(streamId), headerBlock]);
}

export function encodeRstStream(streamId: number, status: number): Buffer {
  return control(controlType.rstStream, false, [words(streamId, status)]);
}

export function encodePing(id: number): Buffer {
  return control(controlType.ping, false, [words(id)]);
}

export function encodeGoAway(lastStreamId: number, status: number): Buffer {
  return control(controlType.goAway, false, [words(lastStreamId, status)]);
}

/** The payload follows as it is, so that it need not be copied. */
export function encodeDataHeader(streamId: number, length: number, fin: boolean): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderLength);
  header.writeUInt32BE(streamId, 0);
  header.writeUInt8(fin ? finFlag : 0, 4);
  header.writeUIntBE(length, 5, 3);
  return header;
}

function control(type: number, fin: boolean, payload: readonly Buffer[]): Buffer {
  const header = Buffer.allocUnsafe(frameHeaderLength);
  header.writeUInt16BE(0x80_00 | spdyVersion, 0);
  header.writeUInt16BE(type, 2);
  header.writeUInt8(fin ? finFlag : 0, 4);
  header.writeUIntBE(
    payload.reduce((sum, part) => sum + part.length, 0),
    5,
    3,
  );
  return Buffer.concat([header, ...payload]);
}

function words(...values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, index) => buffer.writeUInt32BE(value, index * 4));
  return buffer;
}
