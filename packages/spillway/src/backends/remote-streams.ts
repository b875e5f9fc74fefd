import { pipeline } from 'node:stream/promises';
import { errorMessage } from '@spillway/kube';
import {
  type DialOptions,
  dialPortForward,
  dialRemoteCommand,
  joinConnections,
  type PortForwardClient,
  type RefusedUpgrade,
  type RemoteCommandClient,
  StreamError,
} from '@spillway/streaming';
import {
  BackendError,
  type ContainerStreams,
  type ExecResult,
  type OfferedStreams,
  type PortConnection,
  type PortForwarder,
} from './backend.ts';

export interface StreamTarget extends Pick<DialOptions, 'url' | 'headers' | 'connect'> {
  /** The error that an answer stands for; default: one that repeats it. */
  readonly refused?: (answer: RefusedUpgrade) => Error;
}

/** Runs a command, or attaches to a container, at a streaming server: of a runtime, or of a cluster. */
export async function remoteCommandAt(
  target: StreamTarget,
  streams: OfferedStreams,
  signal: AbortSignal,
): Promise<ExecResult> {
  const client = await dialRemoteCommand({ ...target, streams, signal }).catch((error: unknown) => {
    throw refusal(error, target);
  });
  const io = await streams.open().catch(async (error: unknown) => {
    await client.close();
    throw error;
  });
  const done = new AbortController();
  const resizing = forwardResize(client, io, done.signal);
  // The command may end without reading its input, and the reader of its output may go away: neither is a failure of the command.
  const input =
    io.stdin && client.stdin ? pipeline(io.stdin, client.stdin, { signal: done.signal }).catch(ignore) : undefined;
  const outputs = [pipe(client.stdout, io.stdout), pipe(client.stderr, io.stderr)];
  try {
    const result = await client.status;
    await Promise.all(outputs);
    return result;
  } catch (error) {
    throw streamFailure(error);
  } finally {
    done.abort();
    await client.close();
    await Promise.all([input, resizing, ...outputs]);
  }
}

/** Opens a way to the ports of a pod at a streaming server. */
export async function portForwardAt(target: StreamTarget, signal: AbortSignal): Promise<PortForwarder> {
  const client = await dialPortForward({ ...target, signal }).catch((error: unknown) => {
    throw refusal(error, target);
  });
  return {
    ended: client.ended,
    forward: (connection) => void forwardOver(client, connection),
    close: () => client.close(),
  };
}

async function forwardOver(client: PortForwardClient, connection: PortConnection): Promise<void> {
  try {
    await joinConnections(connection, await client.open(connection.port));
  } catch (error) {
    connection.finish(`error forwarding port ${connection.port}: ${errorMessage(error)}`);
  }
}

/** Leaves the target open: its owner reports the result on the same connection. */
async function pipe(from: NodeJS.ReadableStream | undefined, to: NodeJS.WritableStream | undefined): Promise<void> {
  if (from && to) await pipeline(from, to, { end: false }).catch(ignore);
}

async function forwardResize(
  client: RemoteCommandClient,
  { resize }: ContainerStreams,
  signal: AbortSignal,
): Promise<void> {
  if (!resize) return;
  const iterator = resize[Symbol.asyncIterator]();
  const stopped = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (;;) {
    const next = await Promise.race([iterator.next(), stopped]).catch(ignore);
    if (!next || next.done) return;
    client.resize(next.value);
  }
}

function refusal(error: unknown, { refused }: StreamTarget): Error {
  const answer = error instanceof StreamError ? error.answer : undefined;
  return (answer && refused?.(answer)) ?? streamFailure(error);
}

function streamFailure(error: unknown): BackendError {
  const kind = error instanceof StreamError && error.kind === 'refused' ? 'internal' : 'unavailable';
  return new BackendError(kind, `the connection to the container failed: ${errorMessage(error)}`, { cause: error });
}

function ignore(): undefined {
  return undefined;
}
