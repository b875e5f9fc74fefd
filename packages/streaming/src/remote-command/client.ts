import type { Readable, Writable } from 'node:stream';
import { StreamError } from '../errors.ts';
import type { SpdyConnection } from '../spdy/connection.ts';
import type { SpdyStream } from '../spdy/stream.ts';
import { type DialOptions, dialSpdy } from '../upgrade/dial.ts';
import { negotiateRemoteCommand } from './protocols.ts';
import type { RemoteStreams } from './session.ts';
import { type RemoteResult, parseStatus } from './status.ts';
import type { TerminalSize } from './resize.ts';
import { expectedStreams, type StreamType, streamTypeHeader } from './stream-types.ts';

export interface RemoteCommandOptions extends DialOptions {
  readonly streams: RemoteStreams;
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

const offers = 'v4.channel.k8s.io';

/**
 * Opens a remote command over SPDY/3.1, e.g. at the API server of another cluster.
 *
 * @throws {StreamError} `refused` with the server's status and text when it does not upgrade, `timeout`, `closed`
 */
export function dialRemoteCommand(options: RemoteCommandOptions): Promise<RemoteCommandClient> {
  return dialSpdy(options, { offers, what: 'the remote command' }, async (connection, chosen) => {
    const protocol = negotiateRemoteCommand(chosen);
    const types = expectedStreams(protocol, options.streams);
    const streams = await Promise.all(types.map((type) => connection.openStream(new Map([[streamTypeHeader, type]]))));
    return new Client(protocol.name, connection, new Map(types.map((type, index) => [type, streams[index]])));
  });
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
