// Spillway with a CCI region, and its removal: whole, killed at its steps, without the cluster, and while the region fails. And with
// backends of other kinds.
import path from 'node:path';
import { type Region, startRegion } from '@spillway/cci-standin';
import type { Cluster } from '@spillway/devcluster';
import {
  configMaps,
  deployments,
  KubeClient,
  loadKubeconfig,
  namespaces,
  nodes,
  type Pod,
  pods,
  serviceAccounts,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { burstNamespace } from '../../testkit/burst-namespace.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { askAdmin } from '../../testkit/region-admin.ts';
import { type StartedCommand, startSpillway } from '../../testkit/run-spillway.ts';
import { Testbed, type TestbedOptions } from '../../testkit/testbed.ts';
import { parseJson } from '../backends/trusted.ts';
import { burstLabels } from '../podspec/contract.ts';
import { ApiGateway, kubeconfigFor } from '../serve/testing/api-gateway.ts';
import type { RemovalReport } from './report.ts';

const podCount = 50;
const namespace = 'work';

let region: Region;
let there: KubeClient;
let cluster: Cluster;
let client: KubeClient;
let testbed: Testbed;
/** The node of another cluster, and the way there. */
let machine: Testbed | undefined;
let gateway: ApiGateway | undefined;
let clusterId: string;

beforeAll(async () => {
  cluster = await borrowCluster();
  region = await startRegion({
    controlPlane: borrowCluster,
    host: cluster.hostAddress,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 100, stopDelayMs: 2000 },
    program: spillwayProgram,
  });
  there = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  clusterId = uidOf(await client.resource(namespaces).get({ name: 'kube-system' }));
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await eventually('the default service account', () =>
    client.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
});

afterAll(async () => {
  await Promise.all([testbed?.stop('SIGKILL'), machine?.stop('SIGKILL')]);
  gateway?.close();
  await Promise.all([client?.close(), there?.close()]);
  await Promise.all([cluster?.close(), region?.close()]);
});

const own = (): string => `cce-burst-${clusterId}`;
const podsHere = async (): Promise<Pod[]> => (await client.resource(pods).list({ namespace })).items;
const podsThere = async (): Promise<Pod[]> =>
  (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;
const namespacesThere = async (): Promise<string[]> =>
  (await there.resource(namespaces).list()).items
    .map(({ metadata }) => metadata?.name ?? '')
    .filter((name) => /^(cce-burst|bursting)-/.test(name) || name === burstNamespace);

/** Names of everything in the cluster that has Spillway's labels, its virtual nodes, and what they have. */
async function objectsHere(): Promise<string> {
  const kinds =
    'mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,validatingadmissionpolicybindings,' +
    'clusterroles,clusterrolebindings,roles,rolebindings,serviceaccounts,crds,namespaces';
  const labelled = await cluster.kubectl(['get', kinds, '-A', '-o', 'name', '-l', 'app.kubernetes.io/name=spillway']);
  const virtual = await cluster.kubectl(['get', 'nodes', '-o', 'name', '-l', 'type=virtual-kubelet']);
  const leases = await cluster.kubectl(['get', 'leases', '-n', 'kube-node-lease', '-o', 'name']);
  const requests = await cluster.kubectl(['get', 'certificatesigningrequests', '-o', 'name']);
  return labelled.stdout + virtual.stdout + leases.stdout + requests.stdout;
}

type Served = Pick<TestbedOptions, 'backend' | 'cci' | 'remote'>;

const inRegion = (): Served => ({ backend: 'cci', cci: { at: region } });

/** `spillway serve` with pods of a Deployment that run elsewhere. */
async function served(options: Served, replicas = podCount): Promise<void> {
  testbed = await Testbed.create({ cluster, ...options, maxPods: podCount + 10 });
  await testbed.start();
  const labels = { app: 'web' };
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const containers = [{ name: 'main', image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', resources }];
  await client.resource(deployments).create({
    metadata: { namespace, name: 'web', labels: { [burstLabels[0]]: 'enforce' } },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 5, containers } },
    },
  });
  await eventually('the pods run elsewhere', async () => {
    const running = (await podsHere()).filter(({ status }) => status?.phase === 'Running');
    return running.length === replicas && (await podsThere()).length === replicas;
  });
}

interface Run extends Omit<StartedCommand, 'ended'> {
  ended(): Promise<{ readonly code: number | null; readonly report: RemovalReport; readonly told: string }>;
}

function uninstall(...args: readonly string[]): Run {
  const words = ['uninstall', '--config', testbed.configFile, '--request-timeout', '5s', '-o', 'json', ...args];
  const started = startSpillway(cluster.kubeconfig, words);
  return {
    ...started,
    ended: async () => {
      const { code, out, told } = await started.ended();
      return { code, report: out === '' ? emptyReport : parseJson<RemovalReport>(out), told };
    },
  };
}

const emptyReport: RemovalReport = { dryRun: false, clusterId: '', removed: [], remains: [], others: [], notes: [] };

/** Nobody renews it any more. */
async function leaseLapses(): Promise<void> {
  const { code, stderr } = await cluster.kubectl(['delete', 'leases', '-n', 'kube-node-lease', testbed.nodeName]);
  expect(code, stderr).toBe(0);
}

async function withoutPods(): Promise<void> {
  await client.resource(deployments).delete({ namespace, name: 'web' }, { propagationPolicy: 'Background' });
  await eventually('no pods', async () => (await podsHere()).length === 0);
}

const expectNothingLeft = async (): Promise<void> => {
  expect(await podsThere()).toEqual([]);
  expect(await namespacesThere()).toEqual([]);
  expect(await objectsHere()).toBe('');
  const { bills } = await region.meter.read();
  expect(bills.filter(({ end }) => end === undefined)).toEqual([]);
};

test('tells beforehand what it would do, and does nothing while Spillway serves', async () => {
  await served(inRegion());
  const plan = await uninstall('--dry-run').ended();
  expect(plan.code, plan.told).toBe(0);
  expect(plan.report.removed.filter(({ kind }) => kind === 'Instance')).toHaveLength(podCount);
  expect(plan.report.removed).toContainEqual({ pool: 'cci', kind: 'Namespace', name: own() });
  expect(plan.report.notes).toContainEqual(
    `${podCount} pods of Deployment web in work: their owner creates them again, without bursting`,
  );
  const refused = await uninstall('--yes').ended();
  expect([refused.code, refused.told]).toEqual([1, expect.stringContaining('Spillway still serves')]);
  const unasked = await uninstall().ended();
  expect([unasked.code, unasked.told]).toEqual([2, expect.stringContaining('Add --yes')]);
  expect((await podsThere()).length).toBe(podCount);
  expect((await podsHere()).every(({ metadata }) => metadata?.deletionTimestamp === undefined)).toBe(true);
});

test('interrupted or killed at each of its steps, the next run goes on, and the last leaves nothing', async () => {
  await testbed.stop();
  const interrupted = uninstall('--yes');
  await interrupted.says(/Is Spillway still serving/);
  interrupted.child.kill('SIGINT');
  const stopped = await interrupted.ended();
  expect([stopped.code, stopped.told]).toEqual([130, expect.stringContaining('run the same command again')]);
  await leaseLapses();
  const steps = [
    /Removing \d+ objects of admission/,
    /Deleting 50 pods/,
    /pods are ending/,
    /waiting for Network|waiting for Namespace/,
    /Removing virtual nodes/,
  ];
  const reached: string[] = [];
  for (const step of steps) {
    const run = uninstall('--yes');
    const isSaid = await run.says(step);
    run.child.kill('SIGKILL');
    const { told } = await run.ended();
    reached.push(isSaid ? String(step) : told);
  }
  expect(reached).toEqual(steps.map(String));
  const last = await uninstall('--yes').ended();
  expect(last.report.remains).toEqual([]);
  expect(last.code, last.told).toBe(0);
  await expectNothingLeft();
  // The pods of the Deployment wait for a node of the cluster, as if there had never been a Spillway.
  await eventually('the owner to have made them again', async () => (await podsHere()).length === podCount);
  for (const { spec } of await podsHere()) {
    expect([spec?.schedulerName, spec?.nodeName, spec?.schedulingGates]).toEqual([
      'default-scheduler',
      undefined,
      undefined,
    ]);
  }
  const again = await uninstall('--yes').ended();
  expect([again.code, again.report.removed, again.report.remains]).toEqual([0, [], []]);
  await withoutPods();
});

test('without the cluster, from a region that fails, and what somebody else has put there stays', async () => {
  await served(inRegion());
  await testbed.stop('SIGKILL');
  const foreign = { namespace: own(), name: 'notes' };
  await there.resource(configMaps).create({ metadata: foreign });
  for (const fault of [
    { kind: 'answer', status: 500, every: 10 },
    { kind: 'answer', status: 429, method: 'DELETE', every: 5 },
    { kind: 'lostAnswer', method: 'DELETE', every: 6 },
  ]) {
    await askAdmin(region, 'POST', 'faults', fault);
  }
  const nowhere = ['--kubeconfig', '/nowhere', '--yes'];
  const lost = await uninstall(...nowhere).ended();
  expect([lost.code, lost.told]).toEqual([1, expect.stringContaining('--offline --cluster-id')]);
  const offline = [...nowhere, '--offline', '--cluster-id', clusterId, '--grace', '3', '--timeout', '240'];
  const kept = await uninstall(...offline).ended();
  expect(kept.report.remains.map(({ kind, name, why }) => [kind, name, why])).toEqual([
    ['Namespace', own(), 'it holds one object of others'],
    ['Network', 'spillway', 'it goes with its namespace'],
  ]);
  expect(kept.report.others).toMatchObject([{ kind: 'ConfigMap', name: 'notes', why: 'belongs to somebody else' }]);
  expect(kept.code, kept.told).toBe(3);
  expect(await podsThere()).toEqual([]);
  expect(await there.resource(configMaps).get(foreign)).toBeDefined();

  await askAdmin(region, 'DELETE', 'faults');
  await there.resource(configMaps).delete(foreign);
  const rest = await uninstall(...offline).ended();
  expect(rest.code, JSON.stringify([rest.told, rest.report])).toBe(0);
  expect(await namespacesThere()).toEqual([]);
});

test('a cluster that comes back without its instances is cleared, too', async () => {
  expect((await client.resource(nodes).list({ labelSelector: 'type=virtual-kubelet' })).items).toHaveLength(1);
  const { code, report, told } = await uninstall('--yes', '--grace', '0').ended();
  expect(report.remains, told).toEqual([]);
  expect(code).toBe(0);
  await expectNothingLeft();
  await withoutPods();
});

/** The only node of the region is for pods of its accounts. */
async function inOtherCluster(): Promise<Served> {
  machine = await Testbed.create({ cluster: region.cluster, backend: 'simulated', nodeName: 'machine', taints: [] });
  await machine.start();
  const config = await loadKubeconfig({ paths: [region.cluster.kubeconfig] });
  gateway = await ApiGateway.open(config, (_, perform) => perform(), cluster.hostAddress);
  return {
    backend: 'kubernetes',
    remote: { kubeconfig: await kubeconfigFor(gateway, path.join(cluster.dir, 'there.yaml')) },
  };
}

test.each([
  ['CCI 2.0', 'bursting-', async (): Promise<Served> => ({ backend: 'cci', cci: { at: region, apiVersion: 'v2' } })],
  ['another cluster', burstNamespace, inOtherCluster],
])('pods in %s end, and nothing is left there', async (_, home, options) => {
  await served(await options(), 2);
  expect(await namespacesThere()).toEqual([expect.stringMatching(new RegExp(`^${home}`))]);
  await testbed.stop();
  await leaseLapses();
  const { code, report, told } = await uninstall('--yes').ended();
  expect(report.remains, told).toEqual([]);
  expect(code).toBe(0);
  expect(report.removed).toContainEqual(expect.objectContaining({ kind: 'CertificateSigningRequest' }));
  await expectNothingLeft();
  await withoutPods();
});
