import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@spillway/kube';
import { expect, onTestFinished, test } from 'vitest';
import type { Backend } from '../backend.ts';
import { podName } from '../kubernetes/pods/names.ts';
import { makeWorkload } from '../testing/workloads.ts';
import { makeCciBackend } from './make-cci.ts';
import { accountOf } from './testing/account.ts';
import { FakeService, sendJson } from './testing/fake-service.ts';

const { signal } = new AbortController();
const namespace = '/api/v1/namespaces/cce-burst-home';
const image = 'swr.r1.myhuaweicloud.com/team/app:1';

/** A region that answers as CCI does; whether it has room is up to the test. */
async function region({
  room = true,
  refusal,
  beforeSend = () => {},
}: {
  room?: boolean;
  refusal?: object;
  beforeSend?: () => void;
} = {}): Promise<{
  service: FakeService;
  backend: Backend;
  posted: () => string[];
  /** What is there, by path. */
  made: Map<string, Record<string, unknown>>;
  pass: (ms: number) => void;
}> {
  let passedMs = 0;
  const made = new Map<string, Record<string, unknown>>();
  const service = await FakeService.start(({ method, path, headers, body }, response) => {
    if (headers.authorization?.includes('Access=AK,') !== true) {
      return sendJson(response, 401, { error_code: 'APIGW.0301', error_msg: 'no' });
    }
    const { pathname, searchParams } = new URL(path, 'https://cci');
    if (searchParams.has('watch')) return response.writeHead(200, { 'content-type': 'application/json' });
    if (pathname === '/v1/agency') return sendJson(response, 200, [{}]);
    if (method === 'POST') {
      if (refusal !== undefined && pathname.endsWith('/pods')) return sendJson(response, 403, refusal);
      const { metadata = {}, spec = {} }: { metadata?: object; spec?: object } = Object(body);
      const name = 'name' in metadata ? String(metadata.name) : '';
      const placed = pathname.endsWith('/pods') && room ? { nodeName: 'n1' } : {};
      const object = {
        ...Object(body),
        metadata: { uid: `there-${name}`, resourceVersion: '1', ...metadata },
        spec: { ...spec, ...placed },
        status: { state: 'Active' },
      };
      made.set(`${pathname}/${name}`, object);
      return sendJson(response, 201, object);
    }
    const found = made.get(pathname);
    if (method === 'DELETE') made.delete(pathname);
    if (method === 'PUT') made.set(pathname, Object(body));
    if (found !== undefined) return sendJson(response, 200, found);
    const uid = /pod-uid=([^,]+)/.exec(searchParams.get('labelSelector') ?? '')?.[1] ?? '';
    const items = [...made].flatMap(([key, object]) =>
      key.startsWith(`${pathname}/`) && JSON.stringify(object).includes(uid) ? [object] : [],
    );
    const isCollection = /\/(pods|events|secrets|configmaps|networks)$/.test(pathname);
    return isCollection
      ? sendJson(response, 200, { metadata: { resourceVersion: '1' }, items })
      : sendJson(response, 404, { kind: 'Status', code: 404, reason: 'NotFound' });
  });
  const account = await accountOf(service, 'accessKey: AK\nsecretKey: SK\n');
  const backend = makeCciBackend({
    environment: {},
    beforeSend,
    options: {
      ...account,
      soldOutAfterSeconds: 0.1,
      volumeRefresh: false,
      rateLimits: { podsPerSecond: 20, podBurst: 100, callsPerSecond: 100, callBurst: 500 },
      imageReplacements: [{ repositoryPrefix: 'harbor.example/team', replaceWith: 'swr.r1.myhuaweicloud.com/team' }],
    },
    owner: { clusterId: 'home', nodeName: 'virtual' },
    logger: silentLogger,
    clock: { now: () => Date.now() + passedMs, sleep: (ms) => sleep(Math.min(ms, 10)) },
  });
  onTestFinished(() => backend.close());
  const posted = (): string[] => service.calls.filter(({ method }) => method === 'POST').map(({ path }) => path);
  return { service, backend, posted, made, pass: (ms) => void (passedMs += ms) };
}

const workload = (): ReturnType<typeof makeWorkload> =>
  makeWorkload({ name: 'web', image, spec: { containers: [{ image: 'harbor.example/team/app:1' }] } });

test('a pod runs in CCI after all that it needs: namespace, network, the login for its image', async () => {
  const { service, backend, posted } = await region();
  await backend.prepare(signal);
  const { ref, ...rest } = workload();
  await backend.create({ ref, ...rest }, signal);
  expect(posted()).toEqual([
    '/api/v1/namespaces',
    '/apis/networking.cci.io/v1beta1/namespaces/cce-burst-home/networks',
    `${namespace}/secrets`,
    `${namespace}/pods`,
  ]);
  expect(service.calls.findLast(({ method }) => method === 'POST')?.body).toMatchObject({
    metadata: { name: podName(ref), annotations: { 'virtual-kubelet-podname': 'web' } },
    spec: { containers: [{ image }], imagePullSecrets: [{ name: 'imagepull-secret' }] },
  });
  const { instances } = await backend.list(signal);
  expect(instances).toMatchObject([{ ref }]);
  expect(backend.capabilities.runtimeVersion).toBe('cci://v1');
  await backend.remove(ref, signal);
  expect((await backend.list(signal)).instances).toEqual([]);
});

test('what a call has begun is not gone on with once another replica may lead', async () => {
  let requestsLeft = Number.POSITIVE_INFINITY;
  const { service, backend, made } = await region({
    beforeSend: () => {
      if (requestsLeft === 0) throw new Error('the leadership was lost');
      requestsLeft -= 1;
    },
  });
  await backend.prepare(signal);
  const { ref, ...rest } = workload();
  await backend.create({ ref, ...rest }, signal);
  const pods = (): string[] => [...made.keys()].filter((path) => path.startsWith(`${namespace}/pods/`));
  expect(pods()).toHaveLength(1);
  // The pod is found, and that is all.
  requestsLeft = 1;
  const before = service.calls.length;
  await expect(backend.remove(ref, signal)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('the leadership was lost') as unknown,
  });
  expect(service.calls.slice(before).filter(({ method }) => method !== 'GET')).toEqual([]);
  expect(pods()).toHaveLength(1);
  requestsLeft = 0;
  const second = makeWorkload({ name: 'web-2', image, spec: { containers: [{}] } });
  await expect(backend.create(second, signal)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(pods()).toHaveLength(1);
});

test('the login goes with the last pod that needs it', async () => {
  const { service, backend, made } = await region();
  await backend.prepare(signal);
  const first = workload();
  const second = makeWorkload({ name: 'web-2', image, spec: { containers: [{}] } });
  await backend.create(first, signal);
  await backend.create(second, signal);
  const registries = (): string[] => {
    const { data }: { data?: Record<string, string> } = Object(made.get(`${namespace}/secrets/imagepull-secret`));
    const { auths }: { auths?: object } = Object(
      JSON.parse(Buffer.from(data?.['.dockerconfigjson'] ?? '', 'base64').toString() || '{}'),
    );
    return Object.keys(auths ?? {});
  };
  expect(registries()).toEqual(['swr.r1.myhuaweicloud.com']);
  const looks = (): number =>
    service.calls.filter(({ path }) => /\/pods\?/.test(path) && !path.includes('labelSelector')).length;
  const before = looks();
  await backend.remove(first.ref, signal);
  await expect.poll(looks).toBeGreaterThanOrEqual(before + 2);
  expect(registries()).toEqual(['swr.r1.myhuaweicloud.com']);
  await backend.remove(second.ref, signal);
  await expect.poll(registries).toEqual([]);
});

test('the login for a second pod is there already', async () => {
  const { backend, posted } = await region();
  await backend.prepare(signal);
  await backend.create(workload(), signal);
  const second = makeWorkload({ name: 'web-2', image, spec: { containers: [{}] } });
  await backend.create(second, signal);
  expect(posted().filter((path) => path.endsWith('/secrets'))).toHaveLength(1);
});

function loginFor(registry: string, password: string): object {
  const auths = { [registry]: { auth: Buffer.from(`me:${password}`).toString('base64') } };
  return { data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } };
}

test('of two pods with different logins for one registry, the second is told that its own is not used', async () => {
  const { service, backend } = await region();
  await backend.prepare(signal);
  const watching = new AbortController();
  const events = backend.watch?.(watching.signal) ?? [];
  for (const name of ['first', 'second']) {
    const spec = { containers: [{}], imagePullSecrets: [{ name }] };
    const secrets = { [name]: loginFor('quay.io', name) };
    await backend.create(makeWorkload({ name, image: 'quay.io/a/b', spec, secrets }), signal);
  }
  const told: string[] = [];
  for await (const event of events) {
    if (event.type === 'notice') told.push(`${event.ref.name}: ${event.notice.reason}`);
    if (told.length === 3) watching.abort();
  }
  expect(told).toEqual(['first: ThirdPartyRegistry', 'second: ThirdPartyRegistry', 'second: RegistryLoginConflict']);
  expect(service.calls.filter(({ method, path }) => method !== 'GET' && path.includes('/secrets'))).toHaveLength(1);
});

test('a copy of a ConfigMap goes after its last pod, also when CCI took the pod away by itself', async () => {
  const { backend, made, pass } = await region();
  const copies = (): string[] => [...made.keys()].filter((path) => path.includes('/configmaps/'));
  await backend.prepare(signal);
  const settings = { metadata: { name: 'settings', namespace: 'default', resourceVersion: '1' }, data: { a: 'b' } };
  const container = { envFrom: [{ configMapRef: { name: 'settings' } }] };
  await backend.create(makeWorkload({ image, spec: { containers: [container] }, configMaps: { settings } }), signal);
  expect(copies()).toHaveLength(1);
  for (const path of made.keys()) if (path.includes('/pods/')) made.delete(path);
  const listed = async (): Promise<string[]> => {
    pass(60_000);
    await backend.list(signal);
    return copies();
  };
  await expect.poll(listed).toEqual([]);
});

test('a pod that CCI has no room for is accepted, is seen without a place, and can be taken back', async () => {
  const { backend } = await region({ room: false });
  await backend.prepare(signal);
  const { ref, ...rest } = workload();
  await backend.create({ ref, ...rest }, signal);
  expect((await backend.list(signal)).instances).toMatchObject([{ ref, state: 'starting', unplaced: '' }]);
  expect(backend.capabilities.placeWithinMs).toBe(100);
  expect(await backend.withdraw?.(ref, signal)).toBe(true);
  expect((await backend.list(signal)).instances).toEqual([]);
  expect(await backend.withdraw?.(ref, signal)).toBe(true);
});

test('a pod that has found a place in CCI is not taken back', async () => {
  const { backend } = await region();
  await backend.prepare(signal);
  const { ref, ...rest } = workload();
  await backend.create({ ref, ...rest }, signal);
  expect(await backend.withdraw?.(ref, signal)).toBe(false);
  const [instance] = (await backend.list(signal)).instances;
  expect(instance).toMatchObject({ ref, state: 'starting' });
  expect(instance).not.toHaveProperty('unplaced');
});

test('an account in arrears blocks the pool, with what to do', async () => {
  const { backend } = await region({ refusal: { message: 'recharge', errorCode: 'CCI.01.403009' } });
  await backend.prepare(signal);
  await expect(backend.create(workload(), signal)).rejects.toMatchObject({
    kind: 'blocked',
    reason: 'CCIArrears',
    remedy: expect.stringContaining('Top up'),
  });
});

test('the node offers what the vendor’s does, because CCI says nothing of how much there is', async () => {
  const { backend } = await region();
  expect(await backend.capacity(signal)).toEqual({ cpu: '200k', memory: '1600000Gi', pods: '200k' });
});
