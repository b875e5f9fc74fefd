import { nanosecondsOf } from '@spillway/kube';

export interface LogPartOptions {
  /** Nanoseconds since the epoch. */
  readonly since: bigint;
  /** Do lines keep their times? */
  readonly timestamps: boolean;
  readonly limitBytes?: number | undefined;
}

const longestTime = '2026-01-01T00:00:00.123456789+08:00'.length;
const newline = 0x0a;
const nothing = new Uint8Array();

/**
 * What a log has from a moment on, out of a log that begins a little earlier and has the time before each line. A line without
 * a time is kept.
 */
export class LogPart {
  readonly #options: LogPartOptions;
  #left: number;
  #line: 'new' | 'kept' | 'dropped' = 'new';
  /** Of a new line: what may become its time. */
  #begun: Uint8Array = nothing;

  constructor(options: LogPartOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** The limit is reached: nothing comes any more. */
  get full(): boolean {
    return this.#left <= 0;
  }

  take(chunk: Uint8Array): Uint8Array {
    return this.#taken(Buffer.concat([this.#begun, chunk]));
  }

  /** What was held back, when the log has ended. */
  rest(): Uint8Array {
    const rest = this.#limited(this.#begun);
    this.#begun = nothing;
    return rest;
  }

  #taken(bytes: Buffer): Uint8Array {
    const parts: Uint8Array[] = [];
    this.#begun = nothing;
    for (let at = 0; at < bytes.length; ) {
      if (this.#line === 'new') {
        const time = timeAt(bytes, at);
        if (time === 'incomplete') {
          this.#begun = bytes.subarray(at);
          break;
        }
        const { since, timestamps } = this.#options;
        this.#line = time === undefined || time.at >= since ? 'kept' : 'dropped';
        if (time === undefined) continue;
        if (timestamps && this.#line === 'kept') parts.push(bytes.subarray(at, time.end));
        at = time.end;
      } else {
        const end = bytes.indexOf(newline, at) + 1 || bytes.length;
        if (this.#line === 'kept') parts.push(bytes.subarray(at, end));
        if (bytes[end - 1] === newline) this.#line = 'new';
        at = end;
      }
    }
    return this.#limited(Buffer.concat(parts));
  }

  #limited(bytes: Uint8Array): Uint8Array {
    const kept = bytes.subarray(0, this.#left);
    this.#left -= kept.length;
    return kept;
  }
}

/** The time that a line begins with, and where its text begins; undefined: it has none. */
function timeAt(
  bytes: Buffer,
  start: number,
): { readonly at: bigint; readonly end: number } | undefined | 'incomplete' {
  const head = bytes.toString('latin1', start, start + longestTime + 1);
  const [time = ''] = /^[^ \n]*/.exec(head) ?? [];
  if (time === head) return head.length > longestTime ? undefined : 'incomplete';
  const at = head[time.length] === ' ' ? nanosecondsOf(time) : undefined;
  return at === undefined ? undefined : { at, end: start + time.length + 1 };
}
