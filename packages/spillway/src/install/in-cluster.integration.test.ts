// Spillway's own image in a real cluster, with a CCI region: installed by the command line and by Helm, upgraded under burst pods, rolled back, uninstalled.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster, pushImage, resolveHelm, startCluster } from '@spillway/devcluster';
import {
  deployments,
  KubeClient,
  leases,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  secrets,
  serviceAccounts,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { productImage, productVersion } from '../../image/images.ts';
import { cciPool } from '../../testkit/cci-pool.ts';
import { eventually } from '../../testkit/eventually.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';
import { parseJson } from '../backends/trusted.ts';
import { burstLabels } from '../podspec/contract.ts';
import { leaderOf } from './rollout.ts';

const run = promisify(execFile);
const chart = path.join(import.meta.dirname, '../../../../charts/spillway');
const namespace = 'spillway-system';
const podCount = 50;
const undo = new AsyncDisposableStack();

let cluster: Cluster;
let region: Region;
let client: KubeClient;
let there: KubeClient;
let folder: string;
let configFile: string;
let version: string;

const image = (tag: string): string => `docker.io/library/spillway:${tag}`;

beforeAll(async () => {
  const [built, started] = await Promise.all([productImage('spillway'), startCluster({ node: {} })]);
  cluster = undo.use(started);
  // Nodes translate the addresses of pods that call the outside.
  const [podNetwork = ''] = cluster.podCidrs;
  const rule = ['-A', 'POSTROUTING', '-s', podNetwork, '-d', cluster.hostAddress, '-j', 'MASQUERADE'];
  await once(cluster.spawn('iptables', ['-t', 'nat', ...rule], { stdio: 'ignore' }), 'exit');
  version = await productVersion();
  await pushImage(cluster.registry, image(version), built);
  await pushImage(cluster.registry, image('next'), built, image(version));
  region = await startRegion({
    controlPlane: borrowCluster,
    host: cluster.hostAddress,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 100, stopDelayMs: 500 },
    program: spillwayProgram,
  });
  undo.defer(() => region.close());
  client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) }));
  there = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) }));
  folder = path.join(cluster.dir, 'install');
  await mkdir(folder, { recursive: true });
  configFile = path.join(folder, 'config.yaml');
  await writeFile(configFile, stringify(configWith(await cciPool(region, folder))));
  await client.resource(namespaces).create({ metadata: { name: 'work' } });
  await eventually('the default service account', () =>
    client.resource(serviceAccounts).get({ namespace: 'work', name: 'default' }),
  );
});

afterAll(() => undo.disposeAsync());

const configWith = (backend: object): object => ({
  pools: [{ name: 'cci', nodeName: 'virtual-kubelet', servingCertificate: { csr: { approve: true } }, backend }],
});

const spillway = async (...args: readonly string[]): Promise<Answer> => await runSpillway(cluster.kubeconfig, args);

async function helm(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(await resolveHelm(), args, { env: { ...process.env, KUBECONFIG: cluster.kubeconfig } });
  return stdout;
}

/** What people would notice of a burst pod if anything happened to it. */
const standing = ({ metadata, status }: Pod): object => ({
  uid: metadata?.uid,
  phase: status?.phase,
  containers: status?.containerStatuses,
  conditions: status?.conditions,
});
const burstPods = async (): Promise<Pod[]> => (await client.resource(pods).list({ namespace: 'work' })).items;
const standings = async (): Promise<object> =>
  Object.fromEntries((await burstPods()).map((pod) => [pod.metadata?.name, standing(pod)]));
const leader = async (): Promise<string | undefined> =>
  leaderOf(await client.resource(leases).get({ namespace, name: 'spillway-cci' }));

/** Of Spillway in the cluster, and of this cluster in the region. */
async function residue(): Promise<string> {
  const kinds =
    'deployments,replicasets,pods,jobs,configmaps,secrets,services,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings,' +
    'clusterroles,clusterrolebindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,' +
    'validatingadmissionpolicybindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,crds';
  const found = await Promise.all(
    ['spillway', 'spillway-uninstall'].map((name) =>
      cluster.kubectl(['get', kinds, '-A', '-o', 'name', '-l', `app.kubernetes.io/name=${name}`]),
    ),
  );
  const nodes = await cluster.kubectl(['get', 'nodes', '-o', 'name', '-l', 'type=virtual-kubelet']);
  const instances = (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;
  const spaces = (await there.resource(namespaces).list()).items.map(({ metadata }) => metadata?.name ?? '');
  return [
    ...found.map(({ stdout }) => stdout),
    nodes.stdout,
    ...instances.map(({ metadata }) => `${metadata?.name}\n`),
    ...spaces.filter((name) => /^(cce-burst|bursting)-/.test(name)),
  ].join('');
}

async function burst(replicas: number): Promise<void> {
  const labels = { app: 'web' };
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const containers = [{ name: 'main', image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', resources }];
  await client.resource(deployments).create({
    metadata: { namespace: 'work', name: 'web', labels: { [burstLabels[0]]: 'enforce' } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 5, containers } },
    },
  });
  await eventually('the pods run in the region', async () => {
    const running = (await burstPods()).filter(({ status }) => status?.phase === 'Running');
    return running.length === replicas;
  });
}

test('an installation by the command line serves its virtual node, in a namespace that lets only restricted pods in', async () => {
  const { code, out, told } = await spillway('install', '--config', configFile, '--image', image(version));
  expect(code, out + told).toBe(0);
  expect(out).toContain('is ready');
  const { metadata } = await client.resource(namespaces).get({ name: namespace });
  expect(metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const status = await spillway('status');
  expect(status.code, status.out).toBe(0);
  expect(status.out).toContain('healthy');
});

test('a second run changes nothing', async () => {
  const pod = await leader();
  const { code, out } = await spillway('install', '--config', configFile, '--image', image(version), '-o', 'json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ result: 'ready', changes: [] });
  expect(await leader()).toBe(pod);
});

test('no burst pod notices an upgrade to another version and to two replicas', async () => {
  await burst(podCount);
  const before = await standings();
  const { code, out, told } = await spillway('upgrade', '--image', image('next'), '--replicas', '2');
  expect(code, out + told).toBe(0);
  const status = await spillway('status', '-o', 'json');
  expect(JSON.parse(status.out)).toMatchObject({
    healthy: true,
    image: image('next'),
    replicas: { wanted: 2, ready: 2 },
    pools: [{ name: 'cci', burstPods: { Running: podCount } }],
  });
  expect(await standings()).toEqual(before);
});

test('a version that does not become ready is rolled back, and no burst pod notices', async () => {
  const before = await standings();
  const served = await leader();
  const { code, out, told } = await spillway(
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
  expect((await spillway('status')).code).toBe(0);
  expect(await leader()).toBe(served);
  expect(await standings()).toEqual(before);
});

test('another replica takes over from a leader that is evicted, and no burst pod notices', async () => {
  const before = await standings();
  const evicted = await leader();
  await client.resource(pods).delete({ namespace, name: evicted ?? '' });
  await eventually('another leader', async () => {
    const now = await leader();
    return now !== undefined && now !== evicted;
  });
  await eventually('it is healthy again', async () => (await spillway('status')).code === 0);
  expect(await standings()).toEqual(before);
});

test('an uninstall leaves nothing, in the cluster and in the region', async () => {
  const { code, out, told } = await spillway('uninstall', '--config', configFile, '--yes');
  expect(code, out + told).toBe(0);
  await client.resource(deployments).delete({ namespace: 'work', name: 'web' });
  expect(await residue()).toBe('');
  await eventually('its namespace is gone', async () =>
    (await client.resource(namespaces).list()).items.every(({ metadata }) => metadata?.name !== namespace),
  );
});

test('an installation by Helm does the same, and Helm takes all of it away again', async () => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await client.resource(namespaces).create({ metadata: { name: namespace, labels } });
  const pool = await cciPool(region, folder);
  const login = await readFile(pool.credentials.file ?? '');
  const ca = await readFile(pool.ca ?? '');
  const data = { 'login.json': login.toString('base64'), 'ca.pem': ca.toString('base64') };
  await client.resource(secrets).create({ metadata: { namespace, name: 'cci' }, data });
  const files = { ca: '/etc/spillway/cci/ca.pem', credentials: { file: '/etc/spillway/cci/login.json' } };
  const values = path.join(folder, 'values.yaml');
  await writeFile(
    values,
    stringify({
      config: configWith({ ...pool, ...files }),
      image: { repository: 'docker.io/library/spillway' },
      secrets: [{ name: 'cci', folder: '/etc/spillway/cci' }],
    }),
  );
  const release = ['spillway', chart, '-n', namespace, '-f', values, '--wait', '--timeout', '5m'];
  await helm('install', ...release);
  await eventually('it is healthy', async () => (await spillway('status')).code === 0);
  await burst(5);
  const before = await standings();
  await helm('upgrade', ...release, '--set', 'replicas=2');
  await eventually('it is healthy with two replicas', async () => {
    const { out } = await spillway('status', '-o', 'json');
    const { healthy, replicas } = parseJson<{ healthy: boolean; replicas: { ready: number } }>(out);
    return healthy && replicas.ready === 2;
  });
  expect(await standings()).toEqual(before);
  await helm('uninstall', 'spillway', '-n', namespace, '--wait', '--timeout', '5m');
  await eventually('nothing is left', async () => (await residue()) === '');
});
