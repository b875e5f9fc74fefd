// Spillway's own image in a real cluster, with a CCI region: installed by the command line and by Helm, upgraded under burst pods, rolled back, uninstalled.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deployments, namespaces, pods, secrets } from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../../testkit/eventually.ts';
import {
  configOf,
  type InstallationSite,
  installedIn as namespace,
  startInstallationSite,
} from '../../testkit/installation-site.ts';
import { parseJson } from '../backends/trusted.ts';

const chart = path.join(import.meta.dirname, '../../../../charts/spillway');
const podCount = 50;
const undo = new AsyncDisposableStack();

let site: InstallationSite;

beforeAll(async () => {
  site = undo.use(await startInstallationSite());
});

afterAll(() => undo.disposeAsync());

test('an installation by the command line serves its virtual node, in a namespace that lets only restricted pods in', async () => {
  const { code, out, told } = await site.spillway(
    'install',
    '--config',
    site.configFile,
    '--image',
    site.images.current,
  );
  expect(code, out + told).toBe(0);
  expect(out).toContain('is ready');
  const { metadata } = await site.client.resource(namespaces).get({ name: namespace });
  expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const status = await site.spillway('status');
  expect(status.code, status.out).toBe(0);
  expect(status.out).toContain('healthy');
});

test('a second run changes nothing', async () => {
  const pod = await site.leader();
  const { code, out } = await site.spillway(
    'install',
    '--config',
    site.configFile,
    '--image',
    site.images.current,
    '-o',
    'json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ result: 'ready', changes: [] });
  expect(await site.leader()).toBe(pod);
});

test('no burst pod notices an upgrade to another version and to two replicas', async () => {
  await site.burst(podCount);
  const before = await site.standings();
  const { code, out, told } = await site.spillway('upgrade', '--image', site.images.next, '--replicas', '2');
  expect(code, out + told).toBe(0);
  const status = await site.spillway('status', '-o', 'json');
  expect(JSON.parse(status.out)).toMatchObject({
    healthy: true,
    image: site.images.next,
    replicas: { wanted: 2, ready: 2 },
    pools: [{ name: 'cci', burstPods: { Running: podCount } }],
  });
  expect(await site.standings()).toEqual(before);
});

test('a version that does not become ready is rolled back, and no burst pod notices', async () => {
  const before = await site.standings();
  const served = await site.leader();
  const { code, out, told } = await site.spillway(
    'upgrade',
    '--image',
    'docker.io/library/busybox:latest',
    '--timeout',
    '45',
    '-o',
    'json',
  );
  expect(code, out + told).toBe(1);
  expect(parseJson<{ result: string }>(out).result).toBe('rolledBack');
  expect((await site.spillway('status')).code).toBe(0);
  expect(await site.leader()).toBe(served);
  expect(await site.standings()).toEqual(before);
});

test('another replica takes over from a leader that is evicted, and no burst pod notices', async () => {
  const before = await site.standings();
  const evicted = await site.leader();
  await site.client.resource(pods).delete({ namespace, name: evicted ?? '' });
  await eventually('another leader', async () => {
    const now = await site.leader();
    return now !== undefined && now !== evicted;
  });
  await eventually('it is healthy again', async () => (await site.spillway('status')).code === 0);
  expect(await site.standings()).toEqual(before);
});

test('an uninstall leaves nothing, in the cluster and in the region', async () => {
  const { code, out, told } = await site.spillway('uninstall', '--config', site.configFile, '--yes');
  expect(code, out + told).toBe(0);
  await site.client.resource(deployments).delete({ namespace: 'work', name: 'web' });
  expect(await site.residue()).toBe('');
  await eventually('its namespace is gone', async () =>
    (await site.client.resource(namespaces).list()).items.every(({ metadata }) => metadata?.name !== namespace),
  );
});

test('an installation by Helm does the same, and Helm takes all of it away again', async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await site.client.resource(namespaces).create({ metadata: { name: namespace, labels } });
  const { pool, folder } = site;
  const login = await readFile(pool.credentials.file ?? '');
  const ca = await readFile(pool.ca ?? '');
  const data = { 'login.json': login.toString('base64'), 'ca.pem': ca.toString('base64') };
  await site.client.resource(secrets).create({ metadata: { namespace, name: 'cci' }, data });
  const files = { ca: '/etc/spillway/cci/ca.pem', credentials: { file: '/etc/spillway/cci/login.json' } };
  const values = path.join(folder, 'values.yaml');
  await writeFile(
    values,
    stringify({
      config: configOf({ ...pool, ...files }),
      image: { repository: site.images.repository },
      secrets: [{ name: 'cci', folder: '/etc/spillway/cci' }],
    }),
  );
  const release = ['spillway', chart, '-n', namespace, '-f', values, '--wait', '--timeout', '5m'];
  await site.helm('install', ...release);
  await eventually('it is healthy', async () => (await site.spillway('status')).code === 0);
  await site.burst(5);
  const before = await site.standings();
  await site.helm('upgrade', ...release, '--set', 'replicas=2');
  await eventually('it is healthy with two replicas', async () => {
    const { out } = await site.spillway('status', '-o', 'json');
    const { healthy, replicas } = parseJson<{ healthy: boolean; replicas: { ready: number } }>(out);
    return healthy && replicas.ready === 2;
  });
  expect(await site.standings()).toEqual(before);
  await site.helm('uninstall', 'spillway', '-n', namespace, '--wait', '--timeout', '5m');
  await eventually('nothing is left', async () => (await site.residue()) === '');
});
