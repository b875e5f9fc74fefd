import type { Duplex, Readable, Writable } from 'node:stream';
import type { RemoteResult, RemoteStreams, TerminalSize } from './session.ts';

export interface DialOptions {
  /** Where the remote command is served; `http:` or, without {@link connect}, `https:`. Query parameters are the caller's. */
  readonly url: URL;
  readonly streams: RemoteStreams;
  /** Makes the connection, e.g. TLS with a client certificate or a unix socket; default: TCP to the URL's host. */
  readonly connect?: () => Duplex;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the upgrade and for each stream's reply; default 30 s. */
  readonly creationTimeoutMs?: number;
  /** Default 4 h. */
  readonly idleTimeoutMs?: number;
  /** Breaks the connection off; the server ends the command or not, as it likes. */
  readonly signal?: AbortSignal;
}

/** The client's end of one exec or attach. The same back-pressure rules as for the server's end. */
export interface RemoteCommandClient {
  readonly protocol: string;
  /** `end()` closes the command's stdin. */
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  /** Without a terminal it does nothing. */
  resize(size: TerminalSize): void;
  /** Resolves when the server has reported; rejects with a {@link StreamError} when the connection is lost before. */
  readonly status: Promise<RemoteResult>;
  /** Closes the connection; resolves when it is closed. */
  close(): Promise<void>;
}

/**
 * Opens a remote command over SPDY/3.1, e.g. at the streaming server of containerd.
 *
 * @throws {StreamError} `refused` with the server's status and text when it does not upgrade, `timeout`, `closed`
 */
export function dialRemoteCommand(_options: DialOptions): Promise<RemoteCommandClient> {
  return Promise.reject(new Error('not built yet'));
}
