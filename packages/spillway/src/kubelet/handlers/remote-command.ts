import { acceptRemoteCommand, parseRemoteCommandQuery, type RemoteSession, StreamError } from '@spillway/streaming';
import type { ContainerStreams, ExecResult, InstanceRef } from '../../backends/backend.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { requireRunning } from '../container-state.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { findPod, type HandlerContext } from './context.ts';
import type { PreparedUpgrade, StreamTimeouts } from './upgrade.ts';

type RemoteCommandRoute = Extract<Route, { kind: 'exec' | 'attach' }>;

/** Runs in the container what the client wants, with the client's streams. */
type Work = (ref: InstanceRef, io: ContainerStreams, signal: AbortSignal) => Promise<ExecResult>;

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

  const serve = async (session: RemoteSession): Promise<ExecResult> => {
    try {
      return await work(ref, streamsOf(session), AbortSignal.any([session.closed, stopping]));
    } catch (error) {
      if (session.closed.aborted) return { error: 'the client went away' };
      if (stopping.aborted) return { error: `spillway is stopping; ${words[kind].again}` };
      const problem = problemOf(error, words[kind].doing);
      if (problem.status === 500) logger.error({ err: error, pod: ref, container }, `${kind} failed`);
      return { error: problem.message };
    }
  };

  return {
    async run(request, socket, head) {
      try {
        const session = await acceptRemoteCommand(request, socket, head, { ...timeouts, streams });
        await session.finish(await serve(session));
      } catch (error) {
        logger.debug({ err: error, pod: ref, container }, 'the client did not open its streams');
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
    return (ref, io, signal) => exec(ref, container, command, io, signal);
  }
  if (kind === 'attach' && capabilities.attach && backend.attach) {
    const attach = backend.attach.bind(backend);
    return (ref, io, signal) => attach(ref, container, io, signal);
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
