import type { ServerResponse } from 'node:http';
import { requireLog } from '../container-state.ts';
import { parseLogOptions } from '../log-options.ts';
import { Problem, problemOf } from '../problem.ts';
import type { Route } from '../route.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
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
    breakOff(response, error, `the log of container "${route.container}" cannot be read`);
  }
}

/** Once the log has begun only its last line can say why it ends, and the missing end of the response that it is not complete. */
function breakOff(response: ServerResponse, error: unknown, doing: string): void {
  const problem = problemOf(error, doing);
  if (!response.headersSent) throw problem;
  response.write(`\n${problem.message}\n`, () => response.destroy());
}
