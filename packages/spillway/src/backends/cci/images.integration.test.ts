import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Account, randomAccessKey, randomAccount, type Region, startRegion } from '@spillway/cci-standin';
import { buildImage, type TarEntry } from '@spillway/devcluster';
import { type Secret, silentLogger } from '@spillway/kube';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { cciPool } from '../../../testkit/cci-pool.ts';
import { eventually } from '../../../testkit/eventually.ts';
import type { Workload } from '../backend.ts';
import type { KubernetesBackend } from '../kubernetes/kubernetes-backend.ts';
import { Driver } from '../testing/driver.ts';
import { makeWorkload } from '../testing/workloads.ts';
import { makeCciBackend } from './make-cci.ts';

const namespace = 'cce-burst-home';
const busybox = '/usr/bin/busybox';

let region: Region;
let dir: string;
let image: string;
let backend: KubernetesBackend;
let driver: Driver;

/** The first key is Spillway's; the second may be revoked. */
const account = withSecondKey(randomAccount('cn-north-4'));

function withSecondKey(made: Account): Account {
  const users = made.users.map((user) => ({ ...user, accessKeys: [...user.accessKeys, randomAccessKey()] }));
  return { ...made, users };
}

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'cci-images-'));
  region = await startRegion({ accounts: [account], node: 'containers', networkStepMs: 100 });
  const entries: TarEntry[] = [{ type: 'file', path: 'app', mode: 0o755, content: await readFile(busybox) }];
  image = await region.swr.push('team/app:1', buildImage({ entries, command: ['/app', 'sleep', '3600'] }, 'amd64'));
});

afterAll(async () => {
  await region?.close();
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  const options = await cciPool(region, dir, {
    imageReplacements: [{ repositoryPrefix: 'harbor.example/team', replaceWith: `${region.swr.host}/team` }],
  });
  backend = makeCciBackend({
    options,
    owner: { clusterId: 'home', nodeName: 'virtual' },
    environment: process.env,
    logger: silentLogger,
  });
  await backend.prepare(new AbortController().signal);
  driver = new Driver(backend);
});

afterEach(async () => {
  await driver.finish();
  await backend.close();
});

function pod(name: string, pulls = image, secrets: Record<string, Secret> = {}): Workload {
  const size = { cpu: '500m', memory: '1Gi' };
  const imagePullSecrets = Object.keys(secrets).map((each) => ({ name: each }));
  const containers = [{ resources: { requests: size, limits: size }, imagePullPolicy: 'Always' as const }];
  return makeWorkload({ name, image: pulls, secrets, spec: { containers, imagePullSecrets } });
}

function loginOf(key = account.users[0]?.accessKeys[1]): { username: string; password: string } {
  const { accessKey = '', secretKey = '' } = key ?? {};
  const password = createHmac('sha256', secretKey).update(accessKey).digest('hex');
  return { username: `cn-north-4@${accessKey}`, password };
}

function pullSecret(login: object): Secret {
  const auths = { [`https://${region.swr.host}/v2/`]: login };
  return { data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') } };
}

const changed = (workload: Workload, name: string, secret: Secret): Promise<unknown> =>
  backend.update(
    workload.ref,
    {
      volumes: new Map(),
      objects: { configMaps: new Map(), secrets: new Map([[name, secret]]) },
      pullSecrets: [name],
    },
    driver.signal,
  );

async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await region.cluster.kubectl(['-n', namespace, ...args], { input });
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

async function hostsInPullSecret(): Promise<string[]> {
  const stored = await kubectl(['get', 'secret', 'imagepull-secret', '-o', 'jsonpath={.data.\\.dockerconfigjson}']);
  const { auths }: { auths: object } = JSON.parse(Buffer.from(stored, 'base64').toString());
  return Object.keys(auths).toSorted();
}

const waits = (workload: Workload, message: RegExp): Promise<unknown> =>
  driver.container(workload, 'main', ({ state }) => message.test(state?.waiting?.message ?? ''));

test('a private image is pulled with the access key alone; what CCI had in its pull Secret stays there', async () => {
  const auths = { 'cci.internal': { auth: Buffer.from('cci:own').toString('base64') } };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'imagepull-secret' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
  };
  await kubectl(['create', '-f', '-'], JSON.stringify(secret));
  await driver.reaches(await driver.run(pod('web')), 'running');
  expect(await hostsInPullSecret()).toEqual(['cci.internal', region.swr.host]);
});

test('an image of another registry is pulled from where its replacement is', async () => {
  await driver.reaches(await driver.run(pod('replaced', 'harbor.example/team/app:1')), 'running');
});

test('a login that is wrong is told with what to do, and the pull goes on when the Secret was corrected', async () => {
  const { username } = loginOf();
  const web = await driver.run(pod('web', image, { mine: pullSecret({ username, password: 'wrong' }) }));
  await waits(web, /401 Unauthorized.*correct the pull Secret that the pod names/);
  const told = await eventually('the notice', () =>
    driver.noticesOf(web).find(({ message }) => message.includes('401 Unauthorized')),
  );
  expect(told.message).toContain('correct the pull Secret that the pod names');
  await changed(web, 'mine', pullSecret(loginOf()));
  await driver.reaches(web, 'running');
});

test('a second login for the same registry is refused with an event, and the first goes on', async () => {
  await driver.reaches(await driver.run(pod('first', image, { mine: pullSecret(loginOf()) })), 'running');
  const second = await driver.run(pod('second', image, { other: pullSecret({ username: 'u', password: 'p' }) }));
  await driver.reaches(second, 'running');
  expect(driver.noticesOf(second).map(({ reason, message }) => `${reason}: ${message}`)).toContainEqual(
    expect.stringMatching(
      /^RegistryLoginConflict: The login for swr\S+ in default\/other is not used: default\/mine has/,
    ),
  );
});

test('an image that is not there is told with what to do', async () => {
  const web = await driver.run(pod('web', `${region.swr.host}/team/app:2`));
  await waits(web, /team\/app:2: not found.*check its name and tag/);
});

test('a login whose key was revoked is refused, and the next one in the Secret is used', async () => {
  const before = pullSecret(loginOf());
  const web = await driver.run(pod('web', image, { mine: before }));
  await driver.reaches(web, 'running');
  const key = account.users[0]?.accessKeys[1]?.accessKey ?? '';
  const revoked = await fetch(`${region.admin.endpoint}/access-keys/${key}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${region.admin.token}` },
  });
  expect(revoked.status).toBe(200);
  const late = await driver.run(pod('late', image, { mine: before }));
  await waits(late, /401 Unauthorized/);
  await changed(late, 'mine', pullSecret(loginOf(account.users[0]?.accessKeys[0])));
  await driver.reaches(late, 'running');
});
