import type { Duplex, Readable, Writable } from 'node:stream';
import { onAbort } from '../abort.ts';
import { StreamError } from '../errors.ts';
import { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { negotiateSpdy } from './protocols.ts';
import { defaultCreationTimeoutMs, type RemoteResult, type RemoteStreams, type TerminalSize } from './session.ts';
import { parseStatus } from './status.ts';
import { expectedStreams, type StreamType, streamTypeHeader } from './stream-types.ts';
import { requestUpgrade } from './upgrade-request.ts';

export interface DialOptions {
  /** Where the remote command is served. Query parameters are the caller's. */
  readonly url: URL;
  readonly streams: RemoteStreams;
  /** Makes the connection, e.g. TLS with a client certificate or a unix socket; default: TCP to the URL's host, with TLS for `https:`. */
  readonly connect?: () => Duplex;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** For the upgrade and the server's confirmation of all streams together; default 30 s. */
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

/** Longest result that is read. */
const maxStatusBytes = 64 * 1024;

/**
 * Opens a remote command over SPDY/3.1, e.g. at the streaming server of containerd.
 *
 * @throws {StreamError} `refused` with the server's status and text when it does not upgrade, `timeout`, `closed`
 */
export async function dialRemoteCommand(options: DialOptions): Promise<RemoteCommandClient> {
  const timeoutMs = options.creationTimeoutMs ?? defaultCreationTimeoutMs;
  const opening = new AbortController();
  const timer = setTimeout(() => {
    const message = `${options.url.host} did not open the remote command within ${timeoutMs} ms`;
    opening.abort(new StreamError('timeout', message));
  }, timeoutMs);
  const { signal } = options;
  const giveUp = (): void => {
    opening.abort(new StreamError('closed', 'the remote command was given up', { cause: signal?.reason }));
  };
  if (signal !== undefined) onAbort(signal, giveUp);
  try {
    return await open(options, opening.signal);
  } catch (cause) {
    throw opening.signal.aborted ? opening.signal.reason : cause;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

async function open(options: DialOptions, opening: AbortSignal): Promise<RemoteCommandClient> {
  const upgraded = await requestUpgrade(options, opening);
  const { idleTimeoutMs, signal } = options;
  const connection = new SpdyConnection(upgraded.socket, {
    role: 'client',
    head: upgraded.head,
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
  });
  const stop = (): void => connection.destroy();
  onAbort(opening, stop);
  try {
    const protocol = negotiateSpdy(upgraded.protocol);
    const types = expectedStreams(protocol, options.streams);
    const streams = await Promise.all(types.map((type) => connection.openStream(new Map([[streamTypeHeader, type]]))));
    signal?.addEventListener('abort', stop, { once: true, signal: connection.ended });
    return new Client(protocol.name, connection, new Map(types.map((type, index) => [type, streams[index]])));
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

class Client implements RemoteCommandClient {
  readonly protocol: string;
  readonly stdin?: Writable;
  readonly stdout?: Readable;
  readonly stderr?: Readable;
  readonly status: Promise<RemoteResult>;
  readonly #connection: SpdyConnection;
  readonly #resize: Writable | undefined;

  constructor(protocol: string, connection: SpdyConnection, streams: ReadonlyMap<StreamType, SpdyStream | undefined>) {
    this.protocol = protocol;
    this.#connection = connection;
    const stdin = streams.get('stdin');
    const stdout = streams.get('stdout')?.readable;
    const stderr = streams.get('stderr')?.readable;
    if (stdin !== undefined) this.stdin = stdin.writable;
    if (stdout !== undefined) this.stdout = stdout;
    if (stderr !== undefined) this.stderr = stderr;
    this.#resize = streams.get('resize')?.writable;
    for (const type of ['stdin', 'resize'] as const) streams.get(type)?.readable.resume();
    this.status = readStatus(streams.get('error')?.readable, connection.ended);
    // Whoever does not look at the status has no use for its failure either.
    this.status.catch(() => {});
  }

  resize({ width, height }: TerminalSize): void {
    if (this.#resize?.writable) this.#resize.write(JSON.stringify({ Width: width, Height: height }));
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

async function readStatus(stream: Readable | undefined, ended: AbortSignal): Promise<RemoteResult> {
  let text = '';
  for await (const chunk of stream?.setEncoding('utf8') ?? []) {
    text += chunk;
    if (text.length > maxStatusBytes) throw new StreamError('limit', 'the result of the remote command is too long');
  }
  if (text === '') ended.throwIfAborted();
  return parseStatus(text);
}
