import { ApiError, type Clock, isForbidden, isNotFound, type KubeObject } from '@spillway/kube';
import { BackendError } from '../../backend.ts';
import type { CciDialect, NetworkSettings } from '../dialects.ts';
import { codeOf, toBackendError } from '../errors.ts';
import { type FoundNamespace, makeNamespace, namespaceProblem } from './namespace.ts';
import { chooseNetwork, makeNetwork, type Network, networkProgress } from './network.ts';

export interface PrepareRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface PrepareOptions {
  readonly dialect: CciDialect;
  /** As of the Kubernetes client. @throws ApiError, TransportError */
  readonly send: (request: PrepareRequest) => Promise<unknown>;
  /** Asked for only if CCI wants it; undefined: the credential has none */
  readonly userToken: () => string | undefined;
  readonly clusterId: string;
  readonly namespace: string;
  readonly network: NetworkSettings;
  /** What is waited for, and when it takes long, what to check */
  readonly onProgress: (says: string, remedy?: string) => void;
  readonly clock: Clock;
}

const pollMs = 5_000;

/**
 * Makes what pods need: authorization, namespace, network, in this order, each only if it is not there. Resolves when the
 * network is Active. May be called again at any time. @throws BackendError
 */
export async function prepare(options: PrepareOptions, signal: AbortSignal): Promise<void> {
  try {
    await ensureAgency(options, signal);
    await ensureNamespace(options, signal);
    await ensureNetwork(options, signal);
  } catch (error) {
    throw toBackendError(error);
  }
}

type Asking = Pick<PrepareOptions, 'dialect' | 'send' | 'namespace'>;

/** Has the account authorized CCI? @throws ApiError, TransportError */
export async function hasAgency({ dialect, send }: Omit<Asking, 'namespace'>, signal: AbortSignal): Promise<boolean> {
  return !isEmpty(await found404(send({ method: 'GET', path: dialect.agencyPath, signal })));
}

async function ensureAgency({ dialect, send }: PrepareOptions, signal: AbortSignal): Promise<void> {
  try {
    if (await hasAgency({ dialect, send }, signal)) return;
    await send({ method: 'POST', path: dialect.agencyPath, body: {}, signal });
  } catch (error) {
    // Who may not look at or grant it may still use it: if it is missing, the namespace will say so.
    if (isForbidden(error) || isNotFound(error)) return;
    throw error;
  }
}

/** A list, bare or in a field of the answer. */
function isEmpty(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return true;
  const list: unknown[] = Array.isArray(answer) ? answer : Object.values(answer).flatMap((value: unknown) => value);
  return list.length === 0;
}

async function ensureNamespace(options: PrepareOptions, signal: AbortSignal): Promise<void> {
  const { dialect, send, namespace, clusterId } = options;
  let found = await findNamespace(options, signal);
  if (!found.seen) {
    try {
      await send({
        method: 'POST',
        path: dialect.namespace.path,
        body: makeNamespace(dialect, namespace, clusterId),
        signal,
      });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
      // Another replica, or an answer that was lost; or somebody else, whose namespace we may not see.
      found = await findNamespace(options, signal);
    }
  }
  const problem = namespaceProblem(found, namespace, clusterId);
  if (problem !== undefined) throw problem;
}

async function findNamespace(
  { dialect, send, namespace }: PrepareOptions,
  signal: AbortSignal,
): Promise<FoundNamespace> {
  try {
    const object = await send({ method: 'GET', path: `${dialect.namespace.path}/${namespace}`, signal });
    return isObject(object) ? { seen: true, object } : { seen: false };
  } catch (error) {
    if (isNotFound(error) || isForbidden(error)) return { seen: false };
    throw error;
  }
}

async function ensureNetwork(options: PrepareOptions, signal: AbortSignal): Promise<void> {
  const { dialect, clock, network: settings, onProgress } = options;
  const began = clock.now();
  let told = '';
  for (;;) {
    const choice = chooseNetwork(dialect, await listNetworks(options, signal), settings);
    if (choice.kind === 'refuse') throw choice.error;
    if (choice.kind === 'create') {
      await createNetwork(options, signal);
      onProgress('the network of CCI was created');
    } else {
      const progress = networkProgress(dialect, choice.network, clock.now() - began);
      if (progress.kind === 'ready') return;
      if (progress.kind === 'failed') throw progress.error;
      const news = `${progress.says}${progress.remedy ?? ''}`;
      if (news !== told) onProgress(progress.says, progress.remedy);
      told = news;
    }
    await clock.sleep(pollMs, signal);
    if (signal.aborted) throw new BackendError('unavailable', 'stopped waiting for the CCI network');
  }
}

/** @throws ApiError, TransportError */
export async function listNetworks(options: Asking, signal: AbortSignal): Promise<readonly Network[]> {
  const answer = await options.send({ method: 'GET', path: networksPath(options), signal });
  const items: unknown = typeof answer === 'object' && answer !== null && 'items' in answer ? answer.items : [];
  return Array.isArray(items) ? items.filter(isObject) : [];
}

async function createNetwork(options: PrepareOptions, signal: AbortSignal): Promise<void> {
  const { dialect, send, namespace, network } = options;
  const request = {
    method: 'POST',
    path: networksPath(options),
    body: makeNetwork(dialect, namespace, network),
    signal,
  } as const;
  try {
    await send(request);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Another replica was faster: the next look finds its network.
    if (error.status === 409) return;
    const token = codeOf(error) === 'CCI.01.400103' ? options.userToken() : undefined;
    if (token === undefined) throw error;
    await send({ ...request, headers: { 'x-user-token': token } });
  }
}

const networksPath = ({ dialect, namespace }: Asking): string => dialect.network.path.replace('{namespace}', namespace);

async function found404(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (isNotFound(error) && codeOf(error) === 'CCI.01.404101') return undefined;
    throw error;
  }
}

const isObject = (value: unknown): value is KubeObject & Network =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
