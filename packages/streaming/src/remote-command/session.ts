import type { Readable, Writable } from 'node:stream';

/** Which streams a remote command has. With a terminal there is no separate stderr. */
export interface RemoteStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** How a remote command ended: with an exit code, or not at all because something else went wrong. */
export type RemoteResult =
  | { readonly exitCode: number }
  /** `reason` is a metav1.Status reason; default `InternalError`. */
  | { readonly error: string; readonly reason?: string };

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

/** As the kubelet's. */
export const defaultCreationTimeoutMs = 30_000;

export interface AcceptOptions {
  readonly streams: RemoteStreams;
  /** Without any traffic, pings included, for this long the session is closed; default 4 h, as the kubelet's. */
  readonly idleTimeoutMs?: number;
  /** How long the client may take to open its streams; default 30 s, as the kubelet's. */
  readonly creationTimeoutMs?: number;
  /** Ends the session at once. */
  readonly signal?: AbortSignal;
}
