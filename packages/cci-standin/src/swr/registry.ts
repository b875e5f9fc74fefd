import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@spillway/kube';
import type { Faults } from '../faults.ts';
import { answer } from '../gateway/answer.ts';
import { spoil } from '../gateway/spoil.ts';
import type { Upstream } from '../gateway/upstream.ts';
import { accessOf, repositoryIn, type Access, type Organizations } from './access.ts';
import { readBasic, type Logins } from './logins.ts';

export interface RegistryOptions {
  readonly faults: Faults;
  readonly clock: Clock;
  readonly logins: Logins;
  readonly organizations: Organizations;
  /** The registry that has the images. */
  readonly upstream: Upstream;
  /** Where it has a repository of SWR. */
  readonly locate: (repository: string) => string;
}

const kept = ['accept', 'range', 'if-none-match'] as const;
const refusals: Readonly<Record<Exclude<Access, 'granted'>, { status: number; code: string; message: string }>> = {
  loginNeeded: { status: 401, code: 'UNAUTHORIZED', message: 'authentication required' },
  loginWrong: { status: 401, code: 'DENIED', message: 'Authenticate Error' },
  denied: { status: 403, code: 'DENIED', message: 'you do not have the permission' },
};

/** The reading half of the OCI distribution API: images are pushed by whoever runs the region. */
export async function serveRegistry(
  options: RegistryOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers } = request;
  const [path = ''] = url.split('?');
  const repository = repositoryIn(path);
  const given = readBasic(headers.authorization);
  const login = given === undefined ? undefined : (options.logins.projectOf(given) ?? 'wrong');
  const access = accessOf({ method, repository, login }, options.organizations);
  response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  const spoilt = await spoil(options.faults.take(method, path), options.clock);
  if (spoilt !== undefined) {
    answer(response, spoilt.status, { errors: [{ code: 'UNAVAILABLE', message: spoilt.message }] });
  } else if (access !== 'granted') {
    const { status, code, message } = refusals[access];
    if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="SWR"');
    answer(response, status, { errors: [{ code, message }] });
  } else if (method !== 'GET' && method !== 'HEAD') {
    answer(response, 405, { errors: [{ code: 'UNSUPPORTED', message: 'The operation is unsupported.' }] });
  } else if (repository === undefined) {
    answer(response, path === '/v2/' || path === '/v2' ? 200 : 404, {});
  } else {
    await forward(options, repository, request, response);
  }
}

async function forward(
  { upstream, locate }: RegistryOptions,
  repository: string,
  { method = 'GET', url = '/', headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const found = await upstream.send({
    method,
    target: url.replace(`/v2/${repository}/`, `/v2/${locate(repository)}/`),
    headers: Object.fromEntries(kept.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    signal: gone.signal,
  });
  response.writeHead(found.statusCode ?? 502, found.headers);
  await pipeline(found, response).catch((error: unknown) => {
    if (!gone.signal.aborted) throw error;
  });
}
