// Spillway's own image in a real cluster, with a CCI region: installed by the command line and by Helm, upgraded under burst pods, rolled back, uninstalled.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deployments, namespaces, pods, secrets, uidOf } from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../../testkit/eventually.ts';
import {
  configOf,
  type InstallationSite,
  installedIn as namespace,
  startInstallationSite,
} from '../../testkit/installation-site.ts';
import type { Answer } from '../../testkit/run-spillway.ts';
import { recordAdmission, recordLog, recordPods } from '../../testkit/recordings.ts';
import { parseJson } from '../backends/trusted.ts';

const chart = path.join(import.meta.dirname, '../../../../charts/spillway');
const podCount = 50;
/** An image that cannot run `spillway serve`. */
const broken = 'docker.io/library/busybox:latest';
const undo = new AsyncDisposableStack();

let site: InstallationSite;

beforeAll(async () => {
  site = undo.use(await startInstallationSite());
});

afterAll(() => undo.disposeAsync());

test('an installation by the command line serves its virtual node, over the remains of one that failed, in a namespace that lets only restricted pods in', async () => {
  const install = (image: string, ...more: readonly string[]): Promise<Answer> =>
    site.spillway('install', '--config', site.configFile, '--image', image, ...more);
  const failed = await install(broken, '--timeout', '5');
  expect(failed.code, failed.out + failed.told).toBe(1);
  const { code, out, told } = await install(site.images.current);
  expect(code, out + told).toBe(0);
  expect(out).toContain('is ready');
  const { metadata } = await site.client.resource(namespaces).get({ name: namespace });
  expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const status = await site.spillway('status');
  expect(status.code, status.out).toBe(0);
  expect(status.out).toContain('healthy');
  const script = "console.log(process.getuid()); require('node:fs').writeFileSync('/usr/here', '')";
  const inside = await site.cluster.kubectl(['exec', '-n', namespace, 'deploy/spillway', '--', 'node', '-e', script]);
  expect(inside.stdout).toBe('65532\n');
  expect(inside.stderr).toContain('EROFS');
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

/** What may happen to admission: the API server's own policies always hold, and `auto` needs a replica that answers. */
interface Watched {
  readonly webhooks: 'always' | 'missed';
}

/** Whatever `work` does, no burst pod that runs notices; others are created and deleted all the while, and so it is tried with pods of each label. */
async function unnoticed({ webhooks }: Watched, work: () => Promise<void>): Promise<void> {
  const { client, there } = site;
  const before = await site.standings();
  const uids = new Set((await site.burstPods()).map(uidOf));
  const scope = { namespace: 'work', labelSelector: 'app in (web,talker)' };
  const events = await recordPods(client, scope);
  const instances = await recordPods(there, {}, ({ metadata }) =>
    uids.has(metadata?.labels?.['spillway.dev/pod-uid'] ?? ''),
  );
  const admission = recordAdmission(client, 'work');
  const churn = site.churn();
  await work();
  // Whoever serves now starts and ends pods.
  await churn();
  const admitted = await admission();
  const slowest = Math.max(...admitted.map(({ ms }) => ms));
  expect(
    admitted.filter(({ label, problem }) => problem !== undefined && (label !== 'auto' || webhooks === 'always')),
  ).toEqual([]);
  expect(slowest).toBeLessThan(10_000);
  expect(await events()).toEqual([]);
  expect(await instances()).toEqual([]);
  expect(await site.standings()).toEqual(before);
}

async function upgraded(...args: readonly string[]): Promise<void> {
  const { code, out, told } = await site.spillway('upgrade', ...args);
  expect(code, out + told).toBe(0);
}

test('no burst pod notices an upgrade to another version with one replica, and no pod is refused or let in without an answer', async () => {
  await site.burst(podCount);
  await unnoticed({ webhooks: 'always' }, () => upgraded('--image', site.images.next));
});

test('nor one of two replicas, and whoever follows a log gets each line once', async () => {
  await site.talk(1200);
  await upgraded('--replicas', '2');
  const log = recordLog(site.cluster, 'work', 'talker');
  await unnoticed({ webhooks: 'always' }, () => upgraded('--image', site.images.current));
  const { lines, follows } = await log();
  expect(follows).toBeGreaterThan(1);
  expect(lines).toEqual(Array.from(lines, (_, index) => String(index + 1)));
  expect((await site.cluster.kubectl(['exec', 'talker', '-n', 'work', '--', 'echo', 'here'])).stdout).toBe('here\n');
  await site.client.resource(pods).delete({ namespace: 'work', name: 'talker' }, { gracePeriodSeconds: 1 });
  await eventually('it is gone', async () => (await site.burstPods()).length === podCount);
  const status = await site.spillway('status', '-o', 'json');
  expect(JSON.parse(status.out)).toMatchObject({
    healthy: true,
    image: site.images.current,
    replicas: { wanted: 2, ready: 2 },
    pools: [{ name: 'cci', burstPods: { Running: podCount } }],
  });
});

test('a version that does not become ready is rolled back, and no burst pod notices', async () => {
  const served = await site.leader();
  await unnoticed({ webhooks: 'always' }, async () => {
    const { code, out, told } = await site.spillway('upgrade', '--image', broken, '--timeout', '20', '-o', 'json');
    expect(code, out + told).toBe(1);
    expect(parseJson<{ result: string }>(out).result).toBe('rolledBack');
  });
  expect((await site.spillway('status')).code).toBe(0);
  expect(await site.leader()).toBe(served);
});

test('another replica takes over from a leader that is evicted, and no burst pod notices', async () => {
  const evicted = await site.leader();
  await unnoticed({ webhooks: 'always' }, async () => {
    await site.client.resource(pods).delete({ namespace, name: evicted ?? '' });
    await eventually('another leader', async () => {
      const now = await site.leader();
      return now !== undefined && now !== evicted;
    });
    await eventually('it is healthy again', async () => (await site.spillway('status')).code === 0);
  });
});

test('nor that the process of the leader is killed, nor those of all replicas at once', async () => {
  await unnoticed({ webhooks: 'missed' }, async () => {
    const before = await site.holder();
    await site.kill((await site.leader()) ?? '');
    await eventually('another leader', async () => ![before, ''].includes(await site.holder()));
    await eventually('it is healthy again', async () => (await site.spillway('status')).code === 0);
    const after = await site.holder();
    await Promise.all((await site.replicas()).map((name) => site.kill(name)));
    await eventually('a leader', async () => ![after, ''].includes(await site.holder()));
    await eventually('it is healthy again', async () => (await site.spillway('status')).code === 0);
  });
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
