import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { borrowCluster } from '../../devcluster/testkit/borrow.ts';
import { randomAccessKey, randomAccount, type Account } from './accounts.ts';
import { startRegion, type Region } from './region.ts';
import type { Share } from './storage/shares.ts';
import { open, send, signed, type Answer, type Sent } from './testing/client.ts';
import { MovableClock } from './testing/movable-clock.ts';
import { spillway } from './testing/program.ts';

const clock = new MovableClock();
const theirs = randomAccount('cn-north-4');
const ours = accountWithSpareKeys();
let region: Region;
let ca: string;

beforeAll(async () => {
  region = await startRegion({
    controlPlane: borrowCluster,
    accounts: [ours, theirs],
    clock,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 50, stopDelayMs: 50 },
    program: spillway,
  });
  ca = await readFile(region.caFile, 'utf8');
});
afterAll(() => region.close());

/** Mistakes lock a key: each test that makes some has one of its own. */
function accountWithSpareKeys(): Account {
  const account = randomAccount('cn-north-4');
  return {
    ...account,
    agencies: [{ name: 'helper', trustedDomain: theirs.domain.name }],
    users: account.users.map((user) => ({
      ...user,
      accessKeys: [...user.accessKeys, randomAccessKey(), randomAccessKey()],
    })),
  };
}

function keyOf(account: Account, index = 0): { accessKey: string; secretKey: string } {
  return account.users[0]?.accessKeys[index] ?? randomAccessKey();
}

function call(method: string, path: string, body?: unknown, account = ours, headers = {}): Promise<Answer> {
  const url = `${region.endpoint}${path}`;
  const sent: Sent = { method, headers, ...(body === undefined ? {} : { body }) };
  return send(url, { ...sent, ca, headers: signed(keyOf(account), url, sent, clock.now()) });
}

async function admin(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await send(`${region.admin.endpoint}/${path}`, {
    method,
    headers: { Authorization: `Bearer ${region.admin.token}` },
    ...(body === undefined ? {} : { body }),
  });
  expect(answer.status).toBe(200);
  return answer;
}

function passwordLogin(account: Account, password = account.users[0]?.password): object {
  const user = { name: account.users[0]?.name, password, domain: { name: account.domain.name } };
  return {
    auth: {
      identity: { methods: ['password'], password: { user } },
      scope: { project: { name: account.project.name } },
    },
  };
}

async function login(account = ours): Promise<string> {
  const url = `${region.iamEndpoint}/v3/auth/tokens`;
  const answer = await send(url, { method: 'POST', body: passwordLogin(account), ca });
  expect(answer.status).toBe(201);
  return String(answer.headers['x-subject-token']);
}

function namespace(name: string, flavor = 'general-computing'): object {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, annotations: { 'namespace.kubernetes.io/flavor': flavor } },
  };
}

function network(name = 'network'): object {
  return {
    apiVersion: 'networking.cci.io/v1beta1',
    kind: 'Network',
    metadata: { name, annotations: { 'network.alpha.kubernetes.io/default-security-group': 'sg' } },
    spec: { attachedVPC: 'vpc', networkType: 'underlay_neutron', networkID: 'net', subnetID: 'subnet' },
  };
}

function pod(name: string, spec: object = {}): object {
  const resources = { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'main', image: 'nginx', resources }], ...spec },
  };
}

const networksIn = (name: string): string => `/apis/networking.cci.io/v1beta1/namespaces/${name}/networks`;
const metricsIn = (name: string): string => `/apis/metrics.k8s.io/v1beta1/namespaces/${name}/pods`;
const podsIn = (name: string): string => `/api/v1/namespaces/${name}/pods`;

/** Also outside of tests, where there is no `expect.poll`. */
async function until(answer: () => Promise<Answer>, expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await answer()).toMatchObject(expected), { timeout: 120_000, interval: 100 });
}

/** With a network that is Active. */
async function readyNamespace(name: string, account = ours): Promise<void> {
  expect(await call('POST', '/api/v1/namespaces', namespace(name), account)).toMatchObject({ status: 201 });
  expect(await call('POST', networksIn(name), network(), account)).toMatchObject({ status: 201 });
  await until(() => call('GET', `${networksIn(name)}/network`, undefined, account), {
    body: { status: { state: 'Active' } },
  });
}

async function remove(name: string, account = ours): Promise<void> {
  await call('DELETE', `/api/v1/namespaces/${name}`, undefined, account);
  await until(() => call('GET', `/api/v1/namespaces/${name}`, undefined, account), { status: 404 });
}

const badLogin = (detail: string): object => ({
  status: 401,
  body: {
    error_code: 'APIGW.0301',
    error_msg: expect.stringContaining(detail),
    request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  },
});

const setStanding = (standing: object): Promise<Answer> => admin('PUT', `accounts/${ours.domain.id}`, standing);

/** Reads lines as they come. */
async function watch(headers: Record<string, string> = {}): Promise<{ lines: string[]; response: IncomingMessage }> {
  const url = `${region.endpoint}${podsIn('pods')}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
  const own = Object.keys(headers).length > 0 ? headers : signed(keyOf(ours), url, {}, clock.now());
  const response = await open(url, { ca, headers: own });
  expect(response.statusCode).toBe(200);
  const lines: string[] = [];
  response.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));
  response.on('error', () => undefined);
  return { lines, response };
}

const closed =
  (response: IncomingMessage): (() => boolean) =>
  () =>
    response.destroyed;

describe('who may come in', () => {
  const path = '/api/v1/namespaces?fieldSelector=metadata.name%3Dnone';
  const get = (headers: Record<string, string>): Promise<Answer> => send(`${region.endpoint}${path}`, { ca, headers });
  const sign = (key: Parameters<typeof signed>[0], now = clock.now()): Record<string, string> =>
    signed(key, `${region.endpoint}${path}`, {}, now);

  test('a right signature, a token as X-Auth-Token, and one as kubectl sends it', async () => {
    expect(await get(sign(keyOf(ours)))).toMatchObject({ status: 200, body: { kind: 'NamespaceList', items: [] } });
    const token = await login();
    expect(await get({ 'X-Auth-Token': token })).toMatchObject({ status: 200 });
    expect(await get({ Authorization: `Bearer ${token}` })).toMatchObject({ status: 200 });
  });

  test('nobody without credentials, with an unknown key or a token that was never issued', async () => {
    expect(await get({})).toMatchObject(badLogin('x-auth-token not found'));
    expect(await get(sign(randomAccessKey()))).toMatchObject(badLogin('err:ak not exist'));
    expect(await get({ 'X-Auth-Token': 'none' })).toMatchObject(badLogin('decrypt token fail'));
    expect(await get({ Authorization: 'Basic abc' })).toMatchObject(badLogin('Authorization format incorrect'));
  });

  test('nobody whose clock is more than 15 minutes off', async () => {
    const spare = keyOf(ours, 1);
    expect(await get(sign(spare, clock.now() - 16 * 60_000))).toMatchObject(badLogin('x-sdk-date'));
    expect(await get(sign(spare, clock.now() + 16 * 60_000))).toMatchObject(badLogin('x-sdk-date'));
    expect(await get(sign(spare, clock.now() - 14 * 60_000))).toMatchObject({ status: 200 });
  });

  test('six wrong signatures in a row lock a key for five minutes, also for right ones', async () => {
    const spare = keyOf(ours, 2);
    for (let attempt = 1; attempt <= 6; attempt++) {
      expect(await get(sign({ ...spare, secretKey: 'wrong' }))).toMatchObject(badLogin('verify aksk signature fail'));
    }
    expect(await get(sign(spare))).toMatchObject(badLogin('AK access failed to reach the limit'));
    clock.moveOn(5 * 60_000);
    expect(await get(sign(spare))).toMatchObject({ status: 200 });
  });

  test('a wrong password gets no token, and a token ends after 24 hours', async () => {
    const url = `${region.iamEndpoint}/v3/auth/tokens`;
    const wrong = await send(url, { method: 'POST', body: passwordLogin(ours, 'wrong'), ca });
    expect(wrong).toMatchObject({ status: 401, body: { error: { code: 401, title: 'Unauthorized' } } });
    const token = await login();
    clock.moveOn(24 * 3_600_000 - 60_000);
    expect(await get({ 'X-Auth-Token': token })).toMatchObject({ status: 200 });
    clock.moveOn(61_000);
    expect(await get({ 'X-Auth-Token': token })).toMatchObject(badLogin('decrypt token fail'));
  });

  test('whoever has taken on an agency acts for the account that gave it', async () => {
    const role = { domain_name: ours.domain.name, agency_name: 'helper' };
    const identity = { methods: ['assume_role'], assume_role: role };
    const answer = await send(`${region.iamEndpoint}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'X-Auth-Token': await login(theirs) },
      body: { auth: { identity, scope: { project: { id: ours.project.id } } } },
      ca,
    });
    expect(answer).toMatchObject({ status: 201, body: { token: { project: { id: ours.project.id } } } });
    expect(await get({ 'X-Auth-Token': String(answer.headers['x-subject-token']) })).toMatchObject({ status: 200 });
  });

  test('what a client claims to be does not reach the API server', async () => {
    const claims = { 'Impersonate-User': 'admin', 'Impersonate-Group': 'system:masters', 'X-Remote-User': 'admin' };
    const answer = await send(`${region.endpoint}/api/v1/namespaces/kube-system/pods`, {
      ca,
      headers: { ...claims, 'X-Auth-Token': await login() },
    });
    expect(answer).toMatchObject({ status: 403, body: { errorCode: 'CCI.01.403104' } });
  });
});

test("the gateway's certificate may impersonate customers, and nothing else", async () => {
  const kubeconfig = await region.cluster.kubeconfigFor({ user: 'cci-gateway' });
  const can = async (...args: string[]): Promise<string> =>
    (await region.cluster.kubectl(['auth', 'can-i', ...args], { env: { KUBECONFIG: kubeconfig } })).stdout.trim();
  const [user] = ours.users;
  expect(await can('impersonate', `users/cci:${ours.domain.name}:${user?.name}`)).toBe('yes');
  expect(await can('impersonate', `groups/cci:project:${theirs.project.id}`)).toBe('yes');
  expect(await can('impersonate', 'users/admin')).toBe('no');
  expect(await can('impersonate', 'groups/system:masters')).toBe('no');
  expect(await can('get', 'pods')).toBe('no');
});

describe('namespaces and networks', () => {
  afterEach(async () => {
    await Promise.all(['first', 'q1', 'q2', 'q3', 'q4', 'q5'].map((name) => remove(name)));
  });

  test('a network becomes Active step by step, and pods wait for that', async () => {
    await admin('PUT', 'networks', { stuck: true });
    expect(await call('POST', '/api/v1/namespaces', namespace('first'))).toMatchObject({
      status: 201,
      body: { metadata: { annotations: { 'tenant.kubernetes.io/project-id': ours.project.id } } },
    });
    expect(await call('POST', networksIn('first'), network())).toMatchObject({ status: 201 });
    await expect
      .poll(() => call('GET', `${networksIn('first')}/network`))
      .toMatchObject({ body: { status: { state: 'Initializing' } } });
    expect(await call('POST', podsIn('first'), pod('early'))).toMatchObject({ status: 403 });
    await admin('PUT', 'networks', { stuck: false });
    await expect
      .poll(() => call('GET', `${networksIn('first')}/network`))
      .toMatchObject({ body: { status: { state: 'Active' } } });
    expect(await call('POST', podsIn('first'), pod('late'))).toMatchObject({ status: 201 });
    expect(await call('POST', networksIn('first'), network('second'))).toMatchObject({ status: 409 });
  });

  test('names are taken once for all accounts, and other accounts see nothing', async () => {
    await call('POST', '/api/v1/namespaces', namespace('first'));
    const taken = { status: 409, body: { message: 'namespace name is already exist', errorCode: 'CCI.02.409101' } };
    expect(await call('POST', '/api/v1/namespaces', namespace('first'))).toMatchObject(taken);
    expect(await call('POST', '/api/v1/namespaces', namespace('first'), theirs)).toMatchObject(taken);
    expect(await call('GET', '/api/v1/namespaces/first', undefined, theirs)).toMatchObject({ status: 403 });
    expect(await call('GET', podsIn('first'), undefined, theirs)).toMatchObject({ status: 403 });
    const named = '/api/v1/namespaces?fieldSelector=metadata.name%3Dfirst';
    expect(await call('GET', named)).toMatchObject({ body: { items: [{ metadata: { name: 'first' } }] } });
    expect(await call('GET', named, undefined, theirs)).toMatchObject({ body: { items: [] } });
  });

  test('an account has five namespaces', async () => {
    for (const name of ['q1', 'q2', 'q3', 'q4', 'q5']) {
      expect(await call('POST', '/api/v1/namespaces', namespace(name))).toMatchObject({ status: 201 });
    }
    expect(await call('POST', '/api/v1/namespaces', namespace('q6'))).toMatchObject({
      status: 400,
      body: { errorCode: 'CCI.02.400106' },
    });
  });
});

describe('pods', () => {
  beforeAll(async () => {
    await readyNamespace('pods');
    await readyNamespace('others', theirs);
  });
  afterAll(async () => {
    await remove('pods');
    await remove('others', theirs);
  });

  test('are made, watched, changed as far as CCI lets them, and deleted', async () => {
    const { lines, response } = await watch();
    expect(await call('POST', podsIn('pods'), pod('one'))).toMatchObject({ status: 201 });
    await expect.poll(() => lines.join('\n')).toContain('"name":"one"');
    expect(lines.join('\n')).not.toContain('BOOKMARK');
    response.destroy();
    const patch = { 'Content-Type': 'application/merge-patch+json' };
    const patched = await call('PATCH', `${podsIn('pods')}/one`, { metadata: { labels: { a: 'b' } } }, ours, patch);
    expect(patched).toMatchObject({ status: 200, body: { metadata: { labels: { a: 'b' } } } });
    const apply = { 'Content-Type': 'application/apply-patch+yaml' };
    expect(await call('PATCH', `${podsIn('pods')}/one`, pod('one'), ours, apply)).toMatchObject({ status: 415 });
    expect(await call('DELETE', `${podsIn('pods')}/one`)).toMatchObject({ status: 200 });
  });

  test('run on the node, of which they know nothing, and go', async () => {
    expect(await call('POST', podsIn('pods'), pod('runs'))).toMatchObject({ status: 201 });
    await expect
      .poll(() => call('GET', `${podsIn('pods')}/runs`))
      .toMatchObject({ body: { status: { phase: 'Running', podIP: expect.stringMatching(/^10\.246\./) } } });
    expect(await region.node?.isReady()).toBe(true);
    const { body } = await call('GET', `${podsIn('pods')}/runs`);
    expect(body).toMatchObject({ spec: { nodeName: region.node?.name } });
    expect(JSON.stringify(body)).not.toContain('kube-api-access');
    const instances = (): Promise<string> => readFile(region.node?.instancesFile ?? '', 'utf8');
    await expect.poll(instances).toContain('runs');
    expect(await instances()).not.toContain('KUBERNETES_SERVICE_HOST');
    expect(await call('DELETE', `${podsIn('pods')}/runs`)).toMatchObject({ status: 200 });
    await expect.poll(() => call('GET', `${podsIn('pods')}/runs`)).toMatchObject({ status: 404 });
    await expect.poll(instances).not.toContain('runs');
  });

  test('of all namespaces are only those of the account', async () => {
    await call('POST', podsIn('pods'), pod('mine'));
    await call('POST', podsIn('others'), pod('yours'), theirs);
    const items = [{ metadata: { namespace: 'pods', name: 'mine' } }];
    expect(await call('GET', '/api/v1/pods')).toMatchObject({ status: 200, body: { items } });
    await call('DELETE', `${podsIn('pods')}/mine`);
  });

  test('discovery names what CCI has and nothing else', async () => {
    const { body } = await call('GET', '/api/v1');
    const text = JSON.stringify(body);
    for (const name of ['pods', 'pods/log', 'pods/exec', 'configmaps']) expect(text).toContain(`"name":"${name}"`);
    for (const name of ['nodes', 'pods/attach', 'pods/portforward']) expect(text).not.toContain(`"name":"${name}"`);
    const groups = JSON.stringify((await call('GET', '/apis')).body);
    for (const name of ['metrics.k8s.io', 'cci', 'yangtse']) expect(groups).toContain(`"name":"${name}"`);
    expect(await call('GET', '/apis/metrics.k8s.io/v1beta1')).toMatchObject({
      status: 200,
      body: { kind: 'APIResourceList', resources: [{ name: 'pods', kind: 'PodMetrics' }] },
    });
  });

  test('are measured: the metrics API tells what those of the account use, all of them, by label or by name', async () => {
    await call('POST', podsIn('pods'), pod('measured'));
    await call('POST', podsIn('pods'), pod('another'));
    await call('POST', podsIn('others'), pod('yours'), theirs);
    const namesIn = async (path: string): Promise<unknown> => {
      const { body } = await call('GET', path);
      // The gateway's answer.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return (body as { items: { metadata: { name: string } }[] }).items
        .map(({ metadata }) => metadata.name)
        .toSorted();
    };
    await expect.poll(() => namesIn(metricsIn('pods'))).toEqual(expect.arrayContaining(['another', 'measured']));
    expect(await namesIn(`${metricsIn('pods')}?labelSelector=app%3Dnone`)).toEqual([]);
    expect(await call('GET', `${metricsIn('pods')}/measured`)).toMatchObject({
      status: 200,
      body: {
        kind: 'PodMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: { name: 'measured', namespace: 'pods' },
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        window: '10s',
        containers: [{ name: 'main', usage: { cpu: '10000000n', memory: '16384Ki' } }],
      },
    });
    expect(await call('GET', `${metricsIn('pods')}/none`)).toMatchObject({ status: 404 });
    expect(await call('GET', `${metricsIn('pods')}?watch=true`)).toMatchObject({ status: 405 });
    expect(await call('GET', metricsIn('others'))).toMatchObject({ status: 403 });
    expect(await call('GET', metricsIn('kube-system'))).toMatchObject({ status: 403 });
    expect(await call('GET', '/apis/cci/v2/namespaces/pods/metrics')).toMatchObject({ status: 404 });
    await Promise.all(['measured', 'another'].map((name) => call('DELETE', `${podsIn('pods')}/${name}`)));
    await call('DELETE', `${podsIn('others')}/yours`, undefined, theirs);
  });

  test('a watch ends with the token that opened it', async () => {
    const { response } = await watch({ 'X-Auth-Token': await login() });
    clock.moveOn(24 * 3_600_000 + 1000);
    await expect.poll(closed(response)).toBe(true);
  });

  test('watches break, answers get lost, pods are half-made, the pool is sold out, the gateway restarts', async () => {
    const { response } = await watch();
    await admin('DELETE', 'watches');
    await expect.poll(closed(response)).toBe(true);

    await admin('POST', 'faults', { kind: 'lostAnswer', method: 'POST', times: 1 });
    await expect(call('POST', podsIn('pods'), pod('lost'))).rejects.toThrow();
    expect(await call('GET', `${podsIn('pods')}/lost`)).toMatchObject({ status: 200 });

    await admin('POST', 'faults', { kind: 'halfCreated', method: 'POST', times: 1 });
    expect(await call('POST', podsIn('pods'), pod('half'))).toMatchObject({ status: 500 });
    expect(await call('GET', `${podsIn('pods')}/half`)).toMatchObject({ status: 200 });

    await admin('POST', 'faults', { kind: 'answer', status: 429, path: '/pods', times: 1 });
    expect(await call('GET', podsIn('pods'))).toMatchObject({ status: 429, body: { reason: 'TooManyRequests' } });

    await admin('POST', 'faults', { kind: 'soldOut', times: 1 });
    expect(await call('POST', podsIn('pods'), pod('sold-out'))).toMatchObject({ status: 201 });
    await expect
      .poll(() => call('GET', `${podsIn('pods')}/sold-out`))
      .toMatchObject({
        body: { status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'Unschedulable' }] } },
      });

    await admin('POST', 'restart');
    expect(await call('GET', podsIn('pods'))).toMatchObject({ status: 200 });
  });
});

/** A claim by which a file system is imported. */
function importOf({ id, exportLocation }: Share, name: string, storageClassName: string): object {
  const annotations = { fsType: 'nfs', volumeID: id, deviceMountPath: exportLocation };
  const spec = { resources: { requests: { storage: '10Gi' } }, storageClassName };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, annotations }, spec };
}

const volumeOf = (claimName: string): object => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] });

/** What became of a file system. */
async function readShare(id: string): Promise<unknown> {
  const { body } = await admin('GET', 'shares');
  return Array.isArray(body) ? body.find((each: Share) => each.id === id) : undefined;
}

describe('storage', () => {
  const claims = '/api/v1/namespaces/storage/persistentvolumeclaims';
  const imports = '/api/v1/namespaces/storage/extended-persistentvolumeclaims';
  beforeAll(() => readyNamespace('storage'));
  afterAll(() => remove('storage'));

  async function importNew(name: string): Promise<Share> {
    const share = await region.storage.create('sfs', ours.project.id);
    await writeFile(join(share.folder, 'data'), 'x');
    const claim = importOf(share, name, 'nfs-rw');
    expect(await call('POST', imports, claim)).toMatchObject({ status: 201, body: { metadata: { name } } });
    await until(() => call('GET', `${claims}/${name}`), { body: { status: { phase: 'Bound' } } });
    return share;
  }

  test('that exists is imported, used by a pod, listed, unbound and still there', async () => {
    const share = await importNew('one');
    expect(await call('POST', podsIn('storage'), pod('uses', volumeOf('one')))).toMatchObject({ status: 201 });
    await until(() => call('GET', `${podsIn('storage')}/uses`), { body: { status: { phase: 'Running' } } });
    expect(await call('GET', `${imports}?storage_type=nfs`)).toMatchObject({
      body: [
        {
          persistentVolumeClaim: { metadata: { name: 'one' } },
          persistentVolume: { spec: { flexVolume: { options: { volumeID: share.id } } } },
        },
      ],
    });
    expect(await call('GET', imports)).toMatchObject({ status: 200, body: [] });
    await call('DELETE', `${podsIn('storage')}/uses`);
    expect(await call('DELETE', `${claims}/one?deleteVolume=false&storageType=nfs`)).toMatchObject({ status: 200 });
    await expect.poll(() => readShare(share.id)).toMatchObject({ exists: true, bound: [] });
    expect(await readFile(join(share.folder, 'data'), 'utf8')).toBe('x');
  });

  test('is deleted with a claim of which nobody says that it shall stay', async () => {
    const share = await importNew('two');
    expect(await call('DELETE', `${claims}/two`)).toMatchObject({ status: 200 });
    await expect.poll(() => readShare(share.id)).toMatchObject({ exists: false });
  });

  test('is imported as it is known to the owner, and by nobody else', async () => {
    const share = await region.storage.create('sfs', theirs.project.id);
    expect(await call('POST', imports, importOf(share, 'three', 'nfs-rw'))).toMatchObject({
      status: 400,
      body: { errorCode: 'CCI.01.400306' },
    });
    expect(await call('POST', imports, importOf(share, 'three', 'csi-nas'))).toMatchObject({
      status: 400,
      body: { errorCode: 'CCI.01.400307' },
    });
  });

  test('an import whose answer is lost was made', async () => {
    const share = await region.storage.create('sfs-turbo', ours.project.id);
    await admin('POST', 'faults', { kind: 'lostAnswer', method: 'POST', path: '/extended-', times: 1 });
    await expect(call('POST', imports, importOf(share, 'lost', 'efs-standard'))).rejects.toThrow();
    await until(() => call('GET', `${claims}/lost`), { body: { status: { phase: 'Bound' } } });
    await call('DELETE', `${claims}/lost?delete_volume=false&storage_type=nfs`);
  });
});

const ofSecond = (object: object): object => ({ ...object, apiVersion: 'cci/v2' });

describe('CCI 2.0', () => {
  const pods = '/apis/cci/v2/namespaces/second/pods';
  const networks = '/apis/yangtse/v2/namespaces/second/networks';
  const networkOfSecond = {
    apiVersion: 'yangtse/v2',
    kind: 'Network',
    metadata: { name: 'net' },
    spec: { networkType: 'underlay_neutron', securityGroups: ['sg'], subnets: [{ subnetID: 's1' }] },
  };

  beforeAll(async () => {
    const made = { apiVersion: 'cci/v2', kind: 'Namespace', metadata: { name: 'second' } };
    expect(await call('POST', '/apis/cci/v2/namespaces', made)).toMatchObject({ status: 201, body: made });
    expect(await call('POST', pods, ofSecond(pod('early')))).toMatchObject({ status: 403 });
    const { spec: _spec, ...empty } = networkOfSecond;
    expect(await call('POST', networks, empty)).toMatchObject({ status: 400 });
    expect(await call('POST', networks, networkOfSecond)).toMatchObject({ status: 201, body: networkOfSecond });
    await until(() => call('GET', `${networks}/net`), {
      body: { apiVersion: 'yangtse/v2', status: { status: 'Ready', subnetAttrs: [{}] } },
    });
  });
  afterAll(() => remove('second'));

  test('is discovered with its groups', async () => {
    expect(await call('GET', '/apis')).toMatchObject({
      body: { groups: expect.arrayContaining([expect.objectContaining({ name: 'cci' })]) },
    });
    const { body } = await call('GET', '/apis/cci/v2');
    expect(body).toMatchObject({ groupVersion: 'cci/v2' });
    expect(JSON.stringify(body)).toContain('"name":"pods/exec"');
    expect(JSON.stringify(body)).not.toContain('"name":"services"');
    expect(await call('GET', '/apis/yangtse/v2')).toMatchObject({ body: { resources: [{ name: 'networks' }] } });
  });

  test('pods are its own in lists, watches and changes', async () => {
    const url = `${region.endpoint}${pods}?watch=true`;
    const response = await open(url, { ca, headers: signed(keyOf(ours), url, {}, clock.now()) });
    let seen = '';
    response.on('data', (chunk: Buffer) => void (seen += chunk.toString()));
    expect(await call('POST', pods, ofSecond(pod('one')))).toMatchObject({
      status: 201,
      body: {
        apiVersion: 'cci/v2',
        metadata: {
          annotations: { 'resource.cci.io/size': '0.50_1.0' },
          finalizers: ['billing.kubernetes.io/podbilling-finalizer'],
          labels: { 'tenant.kubernetes.io/domain-id': ours.domain.id },
        },
        spec: { schedulerName: 'volcano' },
      },
    });
    await expect.poll(() => seen).toContain('"type":"MODIFIED"');
    // The last one may not be whole yet.
    const frames = seen.slice(0, seen.lastIndexOf('\n')).split('\n');
    expect(frames.every((frame) => frame.includes('"apiVersion":"cci/v2"'))).toBe(true);
    response.destroy();
    expect(await call('GET', pods)).toMatchObject({ body: { apiVersion: 'cci/v2', kind: 'PodList', items: [{}] } });
    const patch = { 'Content-Type': 'application/merge-patch+json' };
    expect(await call('PATCH', `${pods}/one`, { metadata: { labels: { a: 'b' } } }, ours, patch)).toMatchObject({
      status: 200,
      body: { apiVersion: 'cci/v2', metadata: { labels: { a: 'b' } } },
    });
    expect(await call('DELETE', `${pods}/one`)).toMatchObject({ status: 200 });
    await until(() => call('GET', `${pods}/one`), { status: 404, body: { apiVersion: 'v1', kind: 'Status' } });
  });

  test('a file system of SFS Turbo is a volume, which is bound to a claim, and whose it is', async () => {
    const volumes = '/apis/cci/v2/persistentvolumes';
    const { id, exportLocation } = await region.storage.create('sfs-turbo', ours.project.id);
    const csi = {
      driver: 'sfsturbo.csi.everest.io',
      volumeHandle: id,
      volumeAttributes: { 'everest.io/share-export-location': exportLocation },
    };
    const spec = { accessModes: ['ReadWriteMany'], storageClassName: 'csi-sfsturbo' };
    const volume = {
      apiVersion: 'cci/v2',
      kind: 'PersistentVolume',
      metadata: { name: 'turbo' },
      spec: { ...spec, capacity: { storage: '10Gi' }, csi, persistentVolumeReclaimPolicy: 'Retain' },
    };
    expect(await call('POST', volumes, volume)).toMatchObject({ status: 201, body: volume });
    expect(await call('GET', volumes)).toMatchObject({ body: { apiVersion: 'cci/v2', items: [{ spec: { csi } }] } });
    expect(await call('GET', volumes, undefined, theirs)).toMatchObject({ body: { items: [] } });
    expect(await call('DELETE', `${volumes}/turbo`, undefined, theirs)).toMatchObject({ status: 404 });
    const claims = '/apis/cci/v2/namespaces/second/persistentvolumeclaims';
    const resources = { requests: { storage: '10Gi' } };
    const claim = {
      apiVersion: 'cci/v2',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'turbo' },
      spec: { ...spec, resources, volumeName: 'turbo' },
    };
    expect(await call('POST', claims, claim)).toMatchObject({ status: 201, body: claim });
    await until(() => call('GET', `${claims}/turbo`), { body: { status: { phase: 'Bound' } } });
    expect(await call('POST', pods, ofSecond(pod('turbo', volumeOf('turbo'))))).toMatchObject({ status: 201 });
    await until(() => call('GET', `${pods}/turbo`), { body: { status: { phase: 'Running' } } });
    for (const path of [`${pods}/turbo`, `${claims}/turbo`, `${volumes}/turbo`]) {
      expect(await call('DELETE', path)).toMatchObject({ status: 200 });
    }
    await until(() => call('GET', `${volumes}/turbo`), { status: 404 });
    expect(region.storage.read().find((share) => share.id === id)).toMatchObject({ exists: true, bound: [] });
  });

  test('what is of CCI 1.0, or too large, is refused', async () => {
    expect(await call('POST', pods, pod('old'))).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('does not match the expected API version (cci/v2)') },
    });
    const selector = { subdomain: 'team' };
    expect(await call('POST', pods, ofSecond(pod('wrong', selector)))).toMatchObject({
      status: 400,
      body: { message: 'spec.subdomain is not supported' },
    });
    expect(await call('GET', '/apis/cci/v2/pods')).toMatchObject({ status: 404 });
  });
});

describe('how an account stands', () => {
  afterEach(() => setStanding({ agency: true, arrears: false, frozen: false }));

  test('without an agency nothing goes, until it is given', async () => {
    await setStanding({ agency: false });
    expect(await call('POST', '/api/v1/namespaces', namespace('new'))).toMatchObject({
      status: 401,
      body: { errorCode: 'CCI.01.401102' },
    });
    expect(await call('GET', '/v1/agency')).toMatchObject({ status: 404, body: { errorCode: 'CCI.01.404101' } });
    expect(await call('POST', '/v1/agency', {})).toMatchObject({ status: 204 });
    expect(await call('GET', '/v1/agency')).toMatchObject({ status: 200 });
  });

  test('in arrears and frozen', async () => {
    await setStanding({ arrears: true });
    expect(await call('POST', '/api/v1/namespaces', namespace('new'))).toMatchObject({
      status: 403,
      body: { errorCode: 'CCI.01.403009' },
    });
    await setStanding({ frozen: true });
    expect(await call('POST', '/api/v1/namespaces', namespace('new'))).toMatchObject({
      status: 403,
      body: { errorCode: 'CCI.01.403010' },
    });
  });
});
