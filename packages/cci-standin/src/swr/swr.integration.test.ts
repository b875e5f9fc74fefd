import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { buildImage, busyboxImage, startCluster, type Cluster } from '@spillway/devcluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomAccount, type Account } from '../accounts.ts';
import { Faults } from '../faults.ts';
import { AccessKeys } from '../iam/access-keys.ts';
import { Tokens } from '../iam/tokens.ts';
import { send, signed, type Answer } from '../testing/client.ts';
import { MovableClock } from '../testing/movable-clock.ts';
import { passwordOf } from './logins.ts';
import { startSwr, type Swr } from './swr.ts';

const clock = new MovableClock();
const [ours, theirs] = [randomAccount('cn-north-4'), randomAccount('cn-north-4')];
const accounts = [ours, theirs];
const sources = { accessKeys: new AccessKeys(accounts, clock), tokens: new Tokens(accounts, clock) };
const undo = new AsyncDisposableStack();
const faults = new Faults();
let cluster: Cluster;
let swr: Swr;
let ca: string;
let [privateImage, publicImage] = ['', ''];

beforeAll(async () => {
  cluster = undo.use(await startCluster({ node: { services: false } }));
  ca = await readFile(cluster.ca.certFile, 'utf8');
  swr = await startSwr({ region: 'cn-north-4', accounts, cluster, sources, faults, clock }, undo);
  const image = buildImage({ entries: [], command: ['none'] }, 'amd64');
  privateImage = await swr.push('team/app:1', image);
  publicImage = await swr.push('team/open:1', image, { isPublic: true });
});
afterAll(() => undo.disposeAsync());

/** As the region's containerd pulls it. */
async function pull(image: string, login?: string): Promise<string> {
  const { containerdSocket = '', registryConfigDir = '' } = cluster.nodeContainerd ?? {};
  const user = login === undefined ? [] : ['--user', login];
  const args = ['--address', containerdSocket, 'images', 'pull', '--hosts-dir', registryConfigDir, ...user, image];
  const child = cluster.spawn('ctr', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'exit')]);
  return code === 0 ? 'pulled' : said;
}

function longTerm(account = ours): string {
  const [key] = account.users[0]?.accessKeys ?? [];
  if (key === undefined) throw new Error('no key');
  return `cn-north-4@${key.accessKey}:${passwordOf(key)}`;
}

function askForLogin(project = 'cn-north-4'): Promise<Answer> {
  const [key] = ours.users[0]?.accessKeys ?? [];
  if (key === undefined) throw new Error('no key');
  const url = `${swr.apiEndpoint}/v2/manage/utils/secret?projectname=${project}`;
  return send(url, { method: 'POST', ca, headers: signed(key, url, { method: 'POST' }, clock.now()) });
}

function passwordRequest({ users, domain, project }: Account): object {
  const user = { name: users[0]?.name, password: users[0]?.password, domain: { name: domain.name } };
  const identity = { methods: ['password'], password: { user } };
  return { auth: { identity, scope: { project: { name: project.name } } } };
}

const manifest = (image: string, login?: string): Promise<Answer> => {
  const [repository = '', tag = ''] = image.slice(swr.host.length + 1).split(':');
  return send(`${swr.endpoint}/v2/${repository}/manifests/${tag}`, {
    ca,
    headers: {
      accept: 'application/vnd.oci.image.manifest.v1+json',
      ...(login !== undefined && { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
    },
  });
};

test('the region’s containerd pulls public images and those that come with the region without a login', async () => {
  expect(await pull(publicImage)).toBe('pulled');
  expect(await pull(busyboxImage.replace('docker.io', swr.host))).toBe('pulled');
});

test('a private image is pulled with the login of its project only', async () => {
  expect(await pull(privateImage)).toContain('401 Unauthorized');
  expect(await pull(privateImage, longTerm(theirs))).toContain('403 Forbidden');
  expect(await pull(privateImage, `${longTerm()}0`)).toContain('401 Unauthorized');
  expect(await pull(privateImage, longTerm())).toBe('pulled');
  expect(await pull(`${swr.host}/team/app:2`, longTerm())).toContain('not found');
  // The registry behind it does not show it under another name.
  expect(await pull('docker.io/team/app:1')).toContain('not found');
});

test('refusals are what SWR says', async () => {
  expect(await manifest(privateImage)).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="SWR"' },
    body: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] },
  });
  expect(await manifest(privateImage, `${longTerm()}0`)).toMatchObject({
    status: 401,
    body: { errors: [{ code: 'DENIED', message: 'Authenticate Error' }] },
  });
  expect(await manifest(privateImage, longTerm(theirs))).toMatchObject({
    status: 403,
    body: { errors: [{ code: 'DENIED', message: 'you do not have the permission' }] },
  });
  expect(await manifest(`${swr.host}/team/app:2`, longTerm())).toMatchObject({
    status: 404,
    body: { errors: [{ code: 'MANIFEST_UNKNOWN' }] },
  });
});

test('a temporary login is asked for with a signature or a token, and is refused when it has expired', async () => {
  const { status, headers, body } = await askForLogin();
  expect(status).toBe(200);
  const [, user, password] = /^docker login -u (\S+) -p (\S+) swr\./.exec(String(headers['x-swr-dockerlogin'])) ?? [];
  const login = `${user}:${password}`;
  expect(body).toEqual({ auths: { [swr.host]: { auth: Buffer.from(login).toString('base64') } } });
  expect(await manifest(privateImage, login)).toMatchObject({ status: 200 });
  expect(await askForLogin('cn-south-1')).toMatchObject({ status: 403 });
  const url = `${swr.apiEndpoint}/v2/manage/utils/secret?projectname=cn-north-4`;
  expect(await send(url, { method: 'POST', ca })).toMatchObject({ status: 401, body: { error_code: 'APIGW.0301' } });
  const issued = sources.tokens.issue(passwordRequest(ours), undefined);
  const token = 'token' in issued ? issued.token : '';
  expect(await send(url, { method: 'POST', ca, headers: { 'x-auth-token': token } })).toMatchObject({ status: 200 });
  clock.moveOn(6 * 3_600_000);
  expect(await manifest(privateImage, login)).toMatchObject({ status: 401 });
  expect(await manifest(privateImage, longTerm())).toMatchObject({ status: 200 });
});

test('a revoked key logs in no more', async () => {
  const [key] = theirs.users[0]?.accessKeys ?? [];
  sources.accessKeys.revoke(key?.accessKey ?? '');
  expect(await manifest(privateImage, longTerm(theirs))).toMatchObject({ status: 401 });
});

test('a pull fails while its repository is spoilt, and no other', async () => {
  const { id } = faults.add({ kind: 'answer', status: 503, path: '^/v2/team/app/' });
  expect(await manifest(privateImage, longTerm())).toMatchObject({
    status: 503,
    body: { errors: [{ code: 'UNAVAILABLE' }] },
  });
  expect(await manifest(publicImage)).toMatchObject({ status: 200 });
  faults.remove(id);
  expect(await manifest(privateImage, longTerm())).toMatchObject({ status: 200 });
});

test('an organization has one owner', async () => {
  const image = buildImage({ entries: [] }, 'amd64');
  await expect(swr.push('team/other:1', image, { account: theirs })).rejects.toThrow(/team belongs to another project/);
  await expect(swr.push('library/other:1', image)).rejects.toThrow(/organization\/repository:tag/);
});
