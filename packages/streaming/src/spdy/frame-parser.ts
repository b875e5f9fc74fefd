import { StreamError } from '../errors.ts';
import { controlType, finFlag, type Frame, frameHeaderLength, spdyVersion } from './frames.ts';

export interface FrameLimits {
  /** Payload of one control frame, which is held in memory whole; default 64 KiB. Data frames are passed on in pieces. */
  readonly maxControlLength: number;
}

type State =
  | { readonly at: 'header'; readonly bytes: Buffer; filled: number }
  | { readonly at: 'control'; readonly type: number; readonly flags: number; readonly bytes: Buffer; filled: number }
  | { readonly at: 'data'; readonly streamId: number; readonly fin: boolean; remaining: number }
  | { readonly at: 'ignored'; readonly type: number; remaining: number };

/**
 * Takes bytes in whatever pieces the network delivers and gives out frames. Between two calls it keeps at most one control
 * frame.
 */
export class FrameParser {
  readonly #limits: FrameLimits;
  #state: State = headerState();

  constructor(limits: Partial<FrameLimits> = {}) {
    this.#limits = { maxControlLength: 64 * 1024, ...limits };
  }

  /**
   * The frames that `chunk` completes and the pieces of data frames in it, as views on `chunk`. Must be read to the end.
   *
   * @throws {StreamError} `protocol` or `limit`; the parser is of no use afterwards
   */
  *feed(chunk: Buffer): Generator<Frame, void, undefined> {
    let offset = 0;
    while (offset < chunk.length) {
      const state = this.#state;
      if (state.at === 'header' || state.at === 'control') {
        const taken = chunk.copy(state.bytes, state.filled, offset);
        offset += taken;
        state.filled += taken;
        if (state.filled < state.bytes.length) continue;
        if (state.at === 'header') {
          this.#state = this.#afterHeader(state.bytes);
        } else {
          this.#state = headerState();
          yield controlFrame(state.type, state.flags, state.bytes);
        }
      } else {
        const payload = chunk.subarray(offset, offset + state.remaining);
        offset += payload.length;
        state.remaining -= payload.length;
        const last = state.remaining === 0;
        if (last) this.#state = headerState();
        if (state.at === 'data') yield { type: 'data', streamId: state.streamId, fin: last && state.fin, payload };
        else if (last) yield { type: 'ignored', controlType: state.type };
      }
      yield* this.#emptyFrame();
    }
  }

  /** A frame without payload is complete with its header. */
  *#emptyFrame(): Generator<Frame, void, undefined> {
    const state = this.#state;
    if (state.at === 'header') return;
    if (state.at === 'control' ? state.bytes.length > 0 : state.remaining > 0) return;
    this.#state = headerState();
    if (state.at === 'control') yield controlFrame(state.type, state.flags, state.bytes);
    else if (state.at === 'data') yield { type: 'data', streamId: state.streamId, fin: state.fin, payload: empty };
    else yield { type: 'ignored', controlType: state.type };
  }

  #afterHeader(bytes: Buffer): State {
    const first = bytes.readUInt32BE(0);
    const flags = bytes.readUInt8(4);
    const length = bytes.readUIntBE(5, 3);
    if (first < 0x80_00_00_00) {
      if (first === 0) throw new StreamError('protocol', 'SPDY data frame for stream 0');
      return { at: 'data', streamId: first, fin: (flags & finFlag) !== 0, remaining: length };
    }
    const version = (first >>> 16) & 0x7f_ff;
    if (version !== spdyVersion) throw new StreamError('protocol', `SPDY version ${version} where 3 was expected`);
    const type = first & 0xff_ff;
    if (!known.has(type)) return { at: 'ignored', type, remaining: length };
    if (length > this.#limits.maxControlLength) {
      const limit = this.#limits.maxControlLength;
      throw new StreamError(
        'limit',
        `SPDY control frame of ${length} bytes is longer than the ${limit} that are accepted`,
      );
    }
    return { at: 'control', type, flags, bytes: Buffer.allocUnsafe(length), filled: 0 };
  }
}

const empty = Buffer.alloc(0);
const known: ReadonlySet<number> = new Set(Object.values(controlType));

function headerState(): State {
  return { at: 'header', bytes: Buffer.allocUnsafe(frameHeaderLength), filled: 0 };
}

function controlFrame(type: number, flags: number, payload: Buffer): Frame {
  const fin = (flags & finFlag) !== 0;
  switch (type) {
    case controlType.synStream:
      atLeast(10, payload, 'SYN_STREAM');
      return { type: 'synStream', streamId: id(payload), fin, headerBlock: payload.subarray(10) };
    case controlType.synReply:
      atLeast(4, payload, 'SYN_REPLY');
      return { type: 'synReply', streamId: id(payload), fin, headerBlock: payload.subarray(4) };
    case controlType.headers:
      atLeast(4, payload, 'HEADERS');
      return { type: 'headers', streamId: id(payload), fin, headerBlock: payload.subarray(4) };
    case controlType.rstStream:
      atLeast(8, payload, 'RST_STREAM');
      return { type: 'rstStream', streamId: id(payload), status: payload.readUInt32BE(4) };
    case controlType.ping:
      atLeast(4, payload, 'PING');
      return { type: 'ping', id: payload.readUInt32BE(0) };
    default:
      atLeast(8, payload, 'GOAWAY');
      return { type: 'goAway', lastStreamId: id(payload), status: payload.readUInt32BE(4) };
  }
}

function id(payload: Buffer): number {
  return payload.readUInt32BE(0) & 0x7f_ff_ff_ff;
}

function atLeast(length: number, payload: Buffer, name: string): void {
  if (payload.length < length) throw new StreamError('protocol', `SPDY ${name} frame of only ${payload.length} bytes`);
}
