import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { ComponentName } from '../components/names.ts';
import { DevClusterError, errorMessage } from '../errors.ts';
import { http } from '../host/http.ts';
import { parseJson } from '../json.ts';
import type { ComponentState } from './component-state.ts';

const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGQUIT', 'SIGHUP'];

/** The supervisor's API, over a Unix socket in the cluster's folder (which only its owner can enter). */
export interface ControlHandler {
  status(): ControlStatus;
  stop(component: string, signal: NodeJS.Signals): Promise<void>;
  start(component: string): Promise<void>;
  /** Answers when all is gone but the supervisor itself. */
  down(): void;
}

export interface ControlStatus {
  readonly components: readonly ComponentStatus[];
}

export interface ComponentStatus {
  readonly name: ComponentName;
  readonly phase: ComponentState['phase'];
  readonly pid?: number;
}

export function controlSocket(clusterDir: string): string {
  return join(clusterDir, 'control.sock');
}

export function serveControl(socket: string, handler: ControlHandler): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, handler).then(
      (body) => reply(response, 200, body),
      (error: unknown) => reply(response, 500, { error: errorMessage(error) }),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve(server));
  });
}

async function answer(request: IncomingMessage, handler: ControlHandler): Promise<unknown> {
  const url = new URL(request.url ?? '/', 'http://supervisor');
  const [, verb = '', component = ''] = url.pathname.split('/');
  switch (`${request.method} ${verb}`) {
    case 'GET status':
      return handler.status();
    case 'POST stop':
      await handler.stop(component, signalNamed(url.searchParams.get('signal') ?? 'SIGTERM'));
      return {};
    case 'POST start':
      await handler.start(component);
      return {};
    case 'POST down':
      handler.down();
      return {};
    default:
      throw new Error(`no such call: ${request.method} ${url.pathname}`);
  }
}

function signalNamed(name: string): NodeJS.Signals {
  const signal = signals.find((candidate) => candidate === name);
  if (signal === undefined) throw new Error(`"${name}" is not one of ${signals.join(', ')}`);
  return signal;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Calls a cluster's supervisor; the answer's shape is that of {@link ControlHandler}'s. */
export async function control<T>(clusterDir: string, method: 'GET' | 'POST', path: string): Promise<T> {
  const socketPath = controlSocket(clusterDir);
  let response;
  try {
    response = await http(`http://supervisor/${path}`, { method, socketPath, timeoutMs: 0 });
  } catch (error) {
    throw new DevClusterError(
      'control',
      `the cluster's supervisor does not answer at ${socketPath}: ${errorMessage(error)}`,
      { cause: error },
    );
  }
  if (response.status === 200) return parseJson<T>(response.body);
  throw new DevClusterError('control', parseJson<{ error: string }>(response.body).error);
}
