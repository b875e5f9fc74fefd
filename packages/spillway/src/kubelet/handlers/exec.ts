import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  acceptRemoteCommand,
  parseRemoteCommandQuery,
  type RemoteResult,
  type RemoteSession,
} from '@spillway/streaming';
import { StreamError } from '@spillway/streaming';
import type { ExecStreams } from '../../backends/backend.ts';
import { requireRunning } from '../container-state.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { findPod, type HandlerContext } from './context.ts';

type ExecRoute = Extract<Route, { kind: 'exec' }>;

export interface ExecTimeouts {
  readonly idleTimeoutMs?: number;
  readonly creationTimeoutMs?: number;
}

/** A command that was checked and can be run as soon as the client's connection is upgraded. */
export interface PreparedExec {
  /** Resolves when the command has ended and the client knows how; never rejects. */
  run(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
}

/** @throws {Problem} for what can be answered before the upgrade */
export function prepareExec(
  context: HandlerContext,
  route: ExecRoute,
  params: URLSearchParams,
  timeouts: ExecTimeouts,
): PreparedExec {
  const { backend, logger, stopping } = context;
  if (!backend.capabilities.exec || backend.exec === undefined) {
    throw new Problem(501, 'the backend of this virtual node cannot run commands in containers');
  }
  const { command, ...streams } = parseQuery(params);
  const known = findPod(context.pods, route.namespace, route.pod, route.uid);
  requireRunning(known, route.container);
  const exec = backend.exec.bind(backend);
  const ref = instanceRef(known.pod);

  const runIn = async (session: RemoteSession): Promise<RemoteResult> => {
    try {
      const signal = AbortSignal.any([session.closed, stopping]);
      return await exec(ref, route.container, command, streamsOf(session), signal);
    } catch (error) {
      if (session.closed.aborted) return { error: 'the client went away' };
      if (stopping.aborted) return { error: 'spillway is stopping; run the command again' };
      const problem = problemOf(error, 'error executing command in container');
      if (problem.status === 500) logger.error({ err: error, pod: ref, container: route.container }, 'exec failed');
      return { error: problem.message };
    }
  };

  return {
    async run(request, socket, head) {
      try {
        const session = await acceptRemoteCommand(request, socket, head, { ...timeouts, streams });
        await session.finish(await runIn(session));
      } catch (error) {
        logger.debug({ err: error, pod: ref, container: route.container }, 'the client did not open its streams');
      }
    },
  };
}

function parseQuery(params: URLSearchParams): ReturnType<typeof parseRemoteCommandQuery> {
  try {
    const query = parseRemoteCommandQuery(params);
    if (query.command.length > 0) return query;
  } catch (error) {
    if (error instanceof StreamError) throw new Problem(400, error.message, { cause: error });
    throw error;
  }
  throw new Problem(400, 'you must specify a command');
}

function streamsOf({ tty, stdin, stdout, stderr, resize }: RemoteSession): ExecStreams {
  return {
    tty,
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(tty ? { resize } : {}),
  };
}
