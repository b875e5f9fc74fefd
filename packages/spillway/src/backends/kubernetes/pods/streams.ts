import {
  ApiError,
  type ContainerStatus,
  type KubeClient,
  type ObjectRef,
  type Pod,
  type ResourceType,
} from '@spillway/kube';
import {
  BackendError,
  type ExecResult,
  type LogOptions,
  type LogSink,
  type OfferedStreams,
  type PortForwarder,
} from '../../backend.ts';
import { portForwardAt, remoteCommandAt, type StreamTarget } from '../../remote-streams.ts';
import { trusted } from '../../trusted.ts';
import type { Dialect } from '../dialect.ts';
import { reading } from '../lanes.ts';
import type { LogPart } from './log-part.ts';

/** A subresource of a pod that is a stream. */
export type PodStream = 'log' | 'exec' | 'attach' | 'portforward';

export function streamPath({ apiVersion }: ResourceType<Pod>, pod: ObjectRef, stream: PodStream): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${pod.namespace}/pods/${pod.name}/${stream}`;
}

/** They count from when the request arrives there, by the clock there: it takes its time, and clocks differ. */
const earlierSeconds = 60;

/**
 * Query of the log API. Where a log is to begin at a moment it is asked for whole seconds, which is all that API servers know, with
 * the time before each line: {@link LogPart} does the rest.
 * @throws BackendError for what it cannot give
 */
export function logQuery(
  container: string,
  options: LogOptions,
  { sinceTime }: Pick<Dialect, 'sinceTime'>,
  now: Date,
): Record<string, string | number | boolean | undefined> {
  const { follow, previous, timestamps, tailLines, limitBytes, since } = options;
  if (options.stream !== 'All') {
    throw new BackendError('invalid', 'the log of a pod in another cluster combines both streams', {
      remedy: 'Remove --stream.',
    });
  }
  const query = { container, follow, previous, tailLines };
  if (since === undefined) return { ...query, timestamps, limitBytes };
  const sinceMs = Number(since / 1_000_000n);
  const begin = sinceTime
    ? { sinceTime: new Date(Math.max(0, sinceMs)).toISOString() }
    : { sinceSeconds: Math.max(0, Math.ceil((now.getTime() - sinceMs) / 1000)) + earlierSeconds };
  return { ...query, ...begin, timestamps: true };
}

/** Copies a log as it comes; resolves when it ends or when the signal aborts. */
export async function readLog(
  client: KubeClient,
  path: string,
  query: ReturnType<typeof logQuery>,
  { sink, part }: { readonly sink: LogSink; readonly part: LogPart | undefined },
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return;
  const request = { method: 'GET', path, query, signal, accept: '*/*', resource: 'pods/log', lane: reading } as const;
  const stream = await client.stream(request).catch((error: unknown) => {
    throw logError(error);
  });
  try {
    for await (const body of stream.body) {
      const chunk = trusted<Uint8Array>(body);
      const wanted = part === undefined ? chunk : part.take(chunk);
      if (wanted.length > 0) await sink.write(wanted);
      if (signal.aborted || part?.full) return;
    }
    if (part) await sink.write(part.rest());
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await stream.close();
  }
}

/** The API server says 400 for everything that is wrong with a container; its words tell what. */
function logError(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.status !== 400) return error;
  const missing = /is not valid for pod|not found/.test(error.message);
  return new BackendError(missing ? 'notFound' : 'conflict', error.message, { cause: error });
}

export const isRunning = (pod: Pod, container: string): boolean =>
  statusOf(pod, container)?.state?.running !== undefined;

/** @throws BackendError when the container does not run */
export function assertRunning(pod: Pod, container: string): void {
  if (isRunning(pod, container)) return;
  const { waiting, terminated } = statusOf(pod, container)?.state ?? {};
  const why = waiting?.reason ?? terminated?.reason ?? pod.status?.phase ?? 'unknown';
  throw new BackendError('conflict', `container ${container} of pod ${pod.metadata?.name} is not running: ${why}`);
}

function statusOf({ status }: Pod, container: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status ?? {};
  const all = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  return all.find(({ name }) => name === container);
}

/** Runs the command, or attaches to the container when there is none. */
export async function openStreams(
  client: KubeClient,
  path: string,
  { container, command }: { readonly container: string; readonly command?: readonly string[] },
  streams: OfferedStreams,
  signal: AbortSignal,
): Promise<ExecResult> {
  const { tty, stdin, stdout, stderr } = streams;
  const query = { container, command, stdin, stdout, stderr, tty };
  return await upgraded(client, { path, query }, (target) => remoteCommandAt(target, streams, signal));
}

export async function openPorts(client: KubeClient, path: string, signal: AbortSignal): Promise<PortForwarder> {
  return await upgraded(client, { path }, (target) => portForwardAt(target, signal));
}

async function upgraded<T>(
  client: KubeClient,
  request: Parameters<KubeClient['upgrade']>[0],
  open: (target: StreamTarget) => Promise<T>,
): Promise<T> {
  try {
    return await open(await client.upgrade(request));
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'unauthorized') throw error;
    // Nothing was opened. Credentials may have been renewed since; if they were not, they say so without a second attempt.
    return await open(await client.upgrade(request));
  }
}
