import type { ServerResponse } from 'node:http';
import { requireLog } from '../container-state.ts';
import { parseLogOptions } from '../log-options.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { BackendError } from '../../backends/backend.ts';
import type { KnownPod } from '../../pods/known-pods.ts';
import { instanceRef, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { findPod, type HandlerContext } from './context.ts';
import { ResponseSink } from './response-sink.ts';

type LogsRoute = Extract<Route, { kind: 'logs' }>;

/** Serves the log of a container, to its end or until the client goes away. */
export async function serveLogs(
  context: HandlerContext,
  route: LogsRoute,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const { backend } = context;
  if (!backend.capabilities.logs || backend.logs === undefined) {
    throw new Problem(501, 'the backend of this virtual node does not provide container logs');
  }
  const options = parseLogOptions(query, context.now());
  const known = findPod(context.pods, route.namespace, route.pod);
  if (known.placeholder !== undefined) {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8').end(`${known.placeholder}\n`);
    return;
  }
  requireLog(known, route.container, options.previous);

  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client closed the connection')));
  const signal = AbortSignal.any([gone.signal, context.stopping]);
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  try {
    await backend.logs(instanceRef(known.pod), route.container, options, new ResponseSink(response, signal), signal);
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    const why = isOfRemovedInstance(known, error) ? removedLog(known, route.container) : error;
    breakOff(response, why, `the log of container "${route.container}" cannot be read`);
  }
}

/** The pod has ended, and its instance was kept for a while. */
function isOfRemovedInstance({ pod, instance }: KnownPod, error: unknown): boolean {
  const isGone = error instanceof BackendError && error.kind === 'notFound';
  return isGone && instance === undefined && isTerminalPhase(pod.status?.phase);
}

/** 400, as a kubelet says that there is no log: of a 404 kubectl does not show the words. */
function removedLog({ pod }: KnownPod, container: string): Problem {
  const message = `the log of container "${container}" in pod "${pod.metadata?.name}" does not exist anymore: the pod has ended, and its instance was removed after keepEndedSeconds of the pool`;
  return new Problem(400, message);
}

/** Once the log has begun only its last line can say why it ends, and the missing end of the response that it is not complete. */
function breakOff(response: ServerResponse, error: unknown, doing: string): void {
  const problem = problemOf(error, doing);
  if (!response.headersSent) throw problem;
  response.write(`\n${problem.message}\n`, () => response.destroy());
}
