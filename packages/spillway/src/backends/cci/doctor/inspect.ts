import {
  type Clock,
  isForbidden,
  isNotFound,
  type KubeObject,
  type Logger,
  pods,
  resourceQuotas,
  systemClock,
} from '@spillway/kube';
import { BackendError } from '../../backend.ts';
import { replaceImage } from '../../../podspec/image-replacement.ts';
import { readAuthority } from '../authority-file.ts';
import { CciConnection } from '../connect.ts';
import { describeLogin } from '../credentials/login.ts';
import { environmentLogin, fileLogin } from '../credentials/login-source.ts';
import { type CciDialect, dialects } from '../dialects.ts';
import { endpointsOf } from '../endpoints.ts';
import { toBackendError } from '../errors.ts';
import { dateOf, httpsCall } from '../https-call.ts';
import { swrLogin } from '../images/swr.ts';
import { makeNamespace, namespaceName, namespaceProblem } from '../prepare/namespace.ts';
import { chooseNetwork, networkProgress } from '../prepare/network.ts';
import { hasAgency, listNetworks } from '../prepare/prepare.ts';
import { checkRegistry } from './registry.ts';
import { runTestPod } from './test-pod.ts';
import { troubleOf } from './trouble.ts';
import type { AccountView, Answer, PoolBackend, RegistryView } from './view.ts';

export interface InspectOptions {
  readonly backend: PoolBackend;
  readonly clusterId: string;
  /** Starts a pod with this image, and removes it. Absent: nothing is made. */
  readonly testImage?: string | undefined;
  readonly onProgress: (doing: string) => void;
  /** Has the access key, unless a file is configured. */
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Asks the account of a pool, one question after the other and none twice. A credential that is refused is not tried again,
 * so that no key is locked; and nothing is made, but a test pod for who asks for it. Never throws for what CCI answers.
 */
export async function inspectCci(options: InspectOptions, signal: AbortSignal): Promise<AccountView> {
  const { backend, clusterId, onProgress, environment, logger, clock: ownClock = systemClock } = options;
  const dialect = dialects[backend.apiVersion];
  const namespace = await answered(async () => namespaceName(dialect, clusterId, backend.namespaceName));
  if (!namespace.ok) return { namespace: '', made: namespace };
  const name = namespace.value;

  onProgress('asking CCI for its time');
  const endpoints = endpointsOf(backend);
  const gateway = await answered(async () => {
    const ca = await readAuthority(backend.ca);
    // Without a credential, so it says nothing about one and locks none.
    const answer = await httpsCall({ method: 'GET', url: `${endpoints.cci}/`, headers: {}, body: null, ca }, signal);
    const date = dateOf(answer);
    return { ca, skewMs: date === undefined ? undefined : date - ownClock.now() };
  });
  const source =
    backend.credentials.file === undefined ? environmentLogin(environment) : fileLogin(backend.credentials.file);
  const login = await answered(async () => ({ described: describeLogin(await source.read()) }));
  const first = { namespace: name, gateway, login };
  if (!gateway.ok || !login.ok) return first;

  const { ca, skewMs = 0 } = gateway.value;
  const clock: Clock = { ...ownClock, now: () => ownClock.now() + skewMs };
  const { projectId } = backend;
  const connection = new CciConnection({
    dialect,
    endpoints,
    ca,
    projectId,
    namespace: name,
    source,
    clock,
    logger,
  });
  try {
    onProgress(`asking whether CCI accepts ${login.value.described}`);
    const accepted = await answered(async () => {
      await connection.access.current();
      return true as const;
    });
    if (!accepted.ok) return { ...first, accepted };
    return { ...first, accepted, ...(await inspectAccount(options, { dialect, connection, namespace: name }, signal)) };
  } finally {
    await connection.close();
  }
}

interface Asked {
  readonly dialect: CciDialect;
  readonly connection: CciConnection;
  readonly namespace: string;
}

async function inspectAccount(
  options: InspectOptions,
  asked: Asked,
  signal: AbortSignal,
): Promise<Partial<AccountView>> {
  const { backend, onProgress, testImage } = options;
  const { connection, dialect, namespace } = asked;
  const { send } = connection;
  onProgress('checking that the account has authorized CCI');
  const agency = await answered(() => hasAgency({ dialect, send }, signal));
  if (agency.ok && !agency.value) return { agency };
  onProgress(`checking the namespace ${namespace} and its network`);
  const made = await answered(() => isMade(options, asked, signal));
  const registry = await registryOf(options, asked, signal);
  if (!made.ok || !made.value) {
    return { agency, made, registry, ...(made.ok && testImage !== undefined && { testPod: { kind: 'notMade' } }) };
  }
  const network = await answered(async () => {
    const choice = chooseNetwork(dialect, await listNetworks({ dialect, send, namespace }, signal), backend);
    if (choice.kind === 'refuse') throw choice.error;
    if (choice.kind === 'create') return 'missing';
    const progress = networkProgress(dialect, choice.network, 0);
    if (progress.kind === 'failed') throw progress.error;
    return progress.kind === 'ready' ? 'ready' : { waiting: progress.says };
  });
  const standing = await answered(() => mayMake(options, asked, signal));
  const quotas = await answered(
    async () => (await connection.client.resource(resourceQuotas).list({ namespace, signal })).items,
  );
  const found = { agency, made, registry, network, standing, quotas };
  if (testImage === undefined) return found;
  if (!network.ok || network.value !== 'ready') return { ...found, testPod: { kind: 'notMade' } };
  const image = replaceImage(testImage, backend.imageReplacements);
  onProgress(`starting a pod with ${image} in CCI; it is removed afterwards`);
  const type = { ...pods, apiVersion: dialect.podApiVersion };
  return {
    ...found,
    testPod: await runTestPod({ client: connection.client, type, namespace, region: backend.region, image }, signal),
  };
}

/** @throws when it is somebody else's */
async function isMade(
  { clusterId }: InspectOptions,
  { connection, dialect, namespace }: Asked,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${dialect.namespace.path}/${namespace}`;
  try {
    const object = await connection.client.request<KubeObject>({ method: 'GET', path, signal });
    const problem = namespaceProblem({ seen: true, object }, namespace, clusterId);
    if (problem !== undefined) throw problem;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (!isForbidden(error)) throw error;
    throw new BackendError(
      'blocked',
      `not allowed to read the CCI namespace ${namespace}: it belongs to another account, or this credential lacks the permission (${error.message})`,
      {
        cause: error,
        reason: 'CCINamespaceTaken',
        remedy: 'Set namespaceName of the backend to a free name, or get the permission cci:namespace:get',
      },
    );
  }
}

/**
 * Whether the account may make anything now: an account in arrears may read all the same. Asks for the namespace that is
 * there, which is refused with 409 and makes nothing.
 */
async function mayMake(
  { clusterId }: InspectOptions,
  { connection, dialect, namespace }: Asked,
  signal: AbortSignal,
): Promise<true> {
  const body = makeNamespace(dialect, namespace, clusterId);
  try {
    await connection.send({ method: 'POST', path: dialect.namespace.path, body, signal });
  } catch (error) {
    const problem = toBackendError(error);
    if (problem.kind === 'blocked') throw problem;
  }
  return true;
}

async function registryOf(
  { backend: { region, projectName: project }, onProgress }: InspectOptions,
  { connection }: Asked,
  signal: AbortSignal,
): Promise<RegistryView> {
  const { accessKey } = connection.access;
  const login = accessKey && swrLogin(accessKey, { region, ...(project !== undefined && { project }) });
  if (login === undefined) return { kind: 'noLogin' };
  onProgress(`asking ${login.registry} whether it accepts the login`);
  return await checkRegistry(login, {}, signal);
}

async function answered<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, trouble: troubleOf(error) };
  }
}
