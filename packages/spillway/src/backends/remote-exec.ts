import { errorMessage } from '@spillway/kube';
import { pipeline } from 'node:stream/promises';
import {
  type DialOptions,
  dialRemoteCommand,
  type RefusedUpgrade,
  type RemoteCommandClient,
  StreamError,
} from '@spillway/streaming';
import { BackendError, type ExecResult, type ExecStreams } from './backend.ts';

export interface ExecTarget extends Pick<DialOptions, 'url' | 'headers' | 'connect'> {
  /** The error that an answer stands for; default: one that repeats it. */
  readonly refused?: (answer: RefusedUpgrade) => Error;
}

/** Runs a command at a streaming server: of a runtime, or of a cluster. */
export async function execAt(target: ExecTarget, io: ExecStreams, signal: AbortSignal): Promise<ExecResult> {
  const streams = {
    stdin: io.stdin !== undefined,
    stdout: io.stdout !== undefined,
    stderr: io.stderr !== undefined && !io.tty,
    tty: io.tty,
  };
  const client = await dialRemoteCommand({ ...target, streams, signal }).catch((error: unknown) => {
    const answer = error instanceof StreamError ? error.answer : undefined;
    throw (answer && target.refused?.(answer)) ?? streamFailure(error);
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
    if ('exitCode' in result) return { exitCode: result.exitCode };
    throw new BackendError('internal', result.error);
  } catch (error) {
    throw error instanceof BackendError ? error : streamFailure(error);
  } finally {
    done.abort();
    await client.close();
    await Promise.all([input, resizing, ...outputs]);
  }
}

/** Leaves the target open: its owner reports the exit code on the same connection. */
async function pipe(from: NodeJS.ReadableStream | undefined, to: NodeJS.WritableStream | undefined): Promise<void> {
  if (from && to) await pipeline(from, to, { end: false }).catch(ignore);
}

async function forwardResize(client: RemoteCommandClient, { resize }: ExecStreams, signal: AbortSignal): Promise<void> {
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

function streamFailure(error: unknown): BackendError {
  const message = errorMessage(error);
  const kind = error instanceof StreamError && error.kind === 'refused' ? 'internal' : 'unavailable';
  return new BackendError(kind, `exec in the container failed: ${message}`, { cause: error });
}

function ignore(): undefined {
  return undefined;
}
