import { StreamError } from '../errors.ts';
import type { SpdyConnection } from '../spdy/connection.ts';
import { type DialOptions, dialSpdy } from '../upgrade/dial.ts';
import { formatForwardHeaders, portForwardProtocol } from './protocol.ts';
import type { ForwardStreams } from './session.ts';

/** The client's end of one port-forward. The same back-pressure rules as for the server's end. */
export interface PortForwardClient {
  /** Aborted with a {@link StreamError} when the connection can no longer be used, our own {@link close} included. */
  readonly ended: AbortSignal;
  /** Opens a connection to a port. @throws {StreamError} `refused`, `closed` */
  open(port: number): Promise<ClientConnection>;
  /** Closes all connections; resolves when the socket is closed. */
  close(): Promise<void>;
}

export interface ClientConnection extends ForwardStreams {
  /**
   * Resolves when the server has finished with the connection: with its reason when it failed, or nothing. Rejects with a
   * {@link StreamError} when the session was lost before.
   */
  readonly failure: Promise<string>;
}

/** Longest reason that is read. */
const maxFailureLength = 64 * 1024;

/**
 * Opens a port-forward over SPDY/3.1, e.g. at the API server of another cluster.
 *
 * @throws {StreamError} `refused` with the server's status and text when it does not upgrade, `timeout`, `closed`
 */
export function dialPortForward(options: DialOptions): Promise<PortForwardClient> {
  const { name: offers } = portForwardProtocol;
  return dialSpdy(options, { offers, what: 'the port-forward' }, async (connection) => new Client(connection));
}

class Client implements PortForwardClient {
  readonly ended: AbortSignal;
  readonly #connection: SpdyConnection;
  #nextRequestId = 0;

  constructor(connection: SpdyConnection) {
    this.#connection = connection;
    this.ended = connection.ended;
  }

  async open(port: number): Promise<ClientConnection> {
    const id = this.#nextRequestId;
    this.#nextRequestId += 1;
    const [error, data] = await Promise.all(
      (['error', 'data'] as const).map((type) => this.#connection.openStream(formatForwardHeaders(type, port, id))),
    );
    if (error === undefined || data === undefined) throw new StreamError('protocol', 'a stream was not opened');
    error.writable.end();
    const failure = this.#failure(error.readable);
    // Whoever does not look at it has no use for its failure either.
    failure.catch(() => {});
    return { readable: data.readable, writable: data.writable, failure };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #failure(stream: ForwardStreams['readable']): Promise<string> {
    let failure = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      failure += chunk;
      if (failure.length > maxFailureLength) throw new StreamError('limit', 'the reason of a failure is too long');
    }
    if (failure === '') this.ended.throwIfAborted();
    return failure;
  }
}
