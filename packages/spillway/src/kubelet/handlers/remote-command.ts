import { acceptRemoteCommand, parseRemoteCommandQuery, type RemoteSession, StreamError } from '@spillway/streaming';
import type { ContainerStreams, ExecResult, InstanceRef, OfferedStreams } from '../../backends/backend.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { requireRunning } from '../container-state.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { findPod, type HandlerContext } from './context.ts';
import type { PreparedUpgrade, StreamTimeouts } from './upgrade.ts';

type RemoteCommandRoute = Extract<Route, { kind: 'exec' | 'attach' }>;

/** Runs in the container what the client wants, with the client's streams. */
type Work = (ref: InstanceRef, streams: OfferedStreams, signal: AbortSignal) => Promise<ExecResult>;

const words = {
  exec: {
    doing: 'error executing command in container',
    again: 'run the command again',
    cannot: 'cannot run commands in containers',
  },
  attach: {
    doing: 'error attaching to container',
    again: 'attach again',
    cannot: 'cannot attach to containers; use kubectl logs and kubectl exec',
  },
} as const;

/** Exec and attach. @throws {Problem} for what can be answered before the upgrade */
export function prepareRemoteCommand(
  context: HandlerContext,
  route: RemoteCommandRoute,
  params: URLSearchParams,
  timeouts: StreamTimeouts,
): PreparedUpgrade {
  const { logger, stopping } = context;
  const { kind, container } = route;
  const { command, ...streams } = parseQuery(params);
  const work = workOf(context, route, command);
  if (kind === 'exec' && command.length === 0) throw new Problem(400, 'you must specify a command');
  const known = findPod(context.pods, route.namespace, route.pod, route.uid);
  requireRunning(known, container);
  const ref = instanceRef(known.pod);

  return {
    async run(request, socket, head) {
      const gone = new AbortController();
      const leave = (): void => gone.abort(new Error('the client closed the connection'));
      socket.once('close', leave);
      let session: RemoteSession | undefined;
      let unopened: unknown;
      const open = async (): Promise<ContainerStreams> => {
        try {
          session = await acceptRemoteCommand(request, socket, head, { ...timeouts, streams });
        } catch (error) {
          unopened = error;
          throw error;
        }
        session.closed.addEventListener('abort', leave, { once: true });
        return streamsOf(session);
      };
      try {
        const result = await work(ref, { ...streams, open }, AbortSignal.any([gone.signal, stopping]));
        await session?.finish(result);
      } catch (error) {
        if (unopened !== undefined) {
          logger.debug({ err: unopened, pod: ref, container }, 'the client did not open its streams');
          return;
        }
        const { doing, again } = words[kind];
        const problem = stopping.aborted ? new Problem(503, `spillway is stopping; ${again}`) : problemOf(error, doing);
        if (session === undefined) {
          if (gone.signal.aborted) return;
          // The client still waits to be told whether its streams are taken.
          throw problem;
        }
        const isOurs = problem.status === 500 && !session.closed.aborted;
        if (isOurs) logger.error({ err: error, pod: ref, container }, `${kind} failed`);
        await session.finish({ error: problem.message });
      }
    },
  };
}

/** @throws {Problem} 501 */
function workOf(
  { backend }: HandlerContext,
  { kind, container }: RemoteCommandRoute,
  command: readonly string[],
): Work {
  const { capabilities } = backend;
  if (kind === 'exec' && capabilities.exec && backend.exec) {
    const exec = backend.exec.bind(backend);
    return (ref, offered, signal) => exec(ref, container, command, offered, signal);
  }
  if (kind === 'attach' && capabilities.attach && backend.attach) {
    const attach = backend.attach.bind(backend);
    return (ref, offered, signal) => attach(ref, container, offered, signal);
  }
  throw new Problem(501, `the backend of this virtual node, ${capabilities.runtimeVersion}, ${words[kind].cannot}`);
}

function parseQuery(params: URLSearchParams): ReturnType<typeof parseRemoteCommandQuery> {
  try {
    return parseRemoteCommandQuery(params);
  } catch (error) {
    if (error instanceof StreamError) throw new Problem(400, error.message, { cause: error });
    throw error;
  }
}

function streamsOf({ tty, stdin, stdout, stderr, resize }: RemoteSession): ContainerStreams {
  return {
    tty,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(tty ? { resize } : {}),
  };
}
