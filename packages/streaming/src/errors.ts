/**
 * - `invalid`: the request itself asks for something impossible (HTTP 400)
 * - `handshake`: no common protocol, or not an upgrade at all; the client has its HTTP answer already
 * - `protocol`: the peer broke SPDY or WebSocket framing
 * - `limit`: the peer sent more than a bound allows
 * - `timeout`: the peer was too slow
 * - `refused`: the peer refused the upgrade or one stream
 * - `closed`: the connection is gone
 */
export type StreamErrorKind = 'invalid' | 'handshake' | 'protocol' | 'limit' | 'timeout' | 'refused' | 'closed';

export interface StreamErrorDetails extends ErrorOptions {
  /** HTTP status that belongs to it, where there is one. */
  readonly status?: number;
  /** What was answered in place of an upgrade, where something was */
  readonly answer?: RefusedUpgrade;
}

export interface RefusedUpgrade {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most its first kilobytes */
  readonly text: string;
}

export class StreamError extends Error {
  override readonly name: string = 'StreamError';
  readonly kind: StreamErrorKind;
  readonly status: number | undefined;
  readonly answer: RefusedUpgrade | undefined;

  constructor(kind: StreamErrorKind, message: string, details: StreamErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.status = details.status;
    this.answer = details.answer;
  }
}
