import type { Readable, Writable } from 'node:stream';
import type { UpgradeOptions } from '../upgrade/accept.ts';

/** The two directions of one connection, each of which ends by itself; a destroyed one resets the connection. */
export interface ForwardStreams {
  readonly readable: Readable;
  readonly writable: Writable;
}

/** A connection that a client wants to have to a port. */
export interface ForwardedConnection extends ForwardStreams {
  readonly port: number;
  /** Tells the client why it failed, if it did, and ends what has not ended. Later calls change nothing. */
  readonly finish: (error?: string) => void;
}

/**
 * The server's end of one port-forward, whatever protocol carries it. All connections of a session share one socket without
 * flow control of their own: while the reader of one is behind, none is read from, as with a kubelet.
 */
export interface PortForwardSession {
  /** Aborted with a `StreamError` when the client went away, or the session broke or idled out, or was closed. */
  readonly ended: AbortSignal;
  /** Closes what is open and then the session; resolves when the socket is closed. */
  close(): Promise<void>;
}

export interface PortForwardOptions extends UpgradeOptions {
  /** Called with each connection that the client opens. Whoever is called finishes it. */
  readonly onConnection: (connection: ForwardedConnection) => void;
}
