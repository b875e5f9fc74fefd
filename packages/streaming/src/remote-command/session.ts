import type { Readable, Writable } from 'node:stream';
import { onAbort } from '../abort.ts';
import { endAndFlush } from '../socket-end.ts';
import type { UpgradeOptions } from '../upgrade/accept.ts';
import type { Protocol } from './protocols.ts';
import type { TerminalSize, TerminalSizes } from './resize.ts';
import { formatLegacyStatus, formatStatus, type RemoteResult } from './status.ts';

/** Which streams a remote command has. With a terminal there is no separate stderr. */
export interface RemoteStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * The server's end of one exec or attach, whatever protocol carries it.
 *
 * The streams apply back-pressure in both directions: while nobody reads `stdin` the client is not read from, and
 * `stdout` and `stderr` fill up while the client does not read. They never throw an unhandled error; those that were
 * not asked for are absent.
 */
export interface RemoteSession {
  /** The negotiated sub-protocol, e.g. `v4.channel.k8s.io`. */
  readonly protocol: string;
  readonly tty: boolean;
  /** Ends when the client closes its half; fails when the client goes away first. */
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Terminal sizes as the client reports them; only the newest unread one is kept. Ends with the session. One reader. */
  readonly resize: AsyncIterable<TerminalSize>;
  /** Aborted when the client went away, or the session broke or idled out, before {@link finish} was called. */
  readonly closed: AbortSignal;
  /**
   * Ends `stdout` and `stderr`, hands their remaining data to the client, then reports the result and closes. Resolves when
   * the connection is closed; never rejects, also when the client is gone. Later calls change nothing.
   */
  finish(result: RemoteResult): Promise<void>;
}

export interface AcceptOptions extends UpgradeOptions {
  readonly streams: RemoteStreams;
}

/** What carries a session: the streams that were asked for, and a way for the result. */
export interface SessionCarrier extends Pick<RemoteSession, 'stdin' | 'stdout' | 'stderr'> {
  readonly resize: TerminalSizes;
  /** Aborted with a {@link StreamError} when the connection can no longer be used, for whatever reason. */
  readonly ended: AbortSignal;
  /** Sends the result, if it has words, behind everything that was written, and closes. Never rejects. */
  report(result: string): Promise<void>;
}

export class Session implements RemoteSession {
  readonly protocol: string;
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize: TerminalSizes;
  readonly closed: AbortSignal;
  readonly #protocol: Protocol;
  readonly #carrier: SessionCarrier;
  #finished: Promise<void> | undefined;

  constructor(protocol: Protocol, tty: boolean, carrier: SessionCarrier) {
    this.protocol = protocol.name;
    this.tty = tty;
    this.#protocol = protocol;
    this.#carrier = carrier;
    const { stdin, stdout, stderr, resize, ended } = carrier;
    if (stdin !== undefined) this.stdin = stdin;
    if (stdout !== undefined) this.stdout = stdout;
    if (stderr !== undefined) this.stderr = stderr;
    this.resize = resize;
    const closed = new AbortController();
    this.closed = closed.signal;
    onAbort(ended, () => {
      resize.end();
      if (this.#finished === undefined) closed.abort(ended.reason);
    });
  }

  finish(result: RemoteResult): Promise<void> {
    this.#finished ??= this.#finish(result);
    return this.#finished;
  }

  async #finish(result: RemoteResult): Promise<void> {
    this.resize.end();
    this.stdin?.destroy();
    await Promise.all([endAndFlush(this.stdout), endAndFlush(this.stderr)]);
    await this.#carrier.report(this.#protocol.structuredStatus ? formatStatus(result) : formatLegacyStatus(result));
  }
}
