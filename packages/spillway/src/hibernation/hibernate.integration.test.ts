// A cluster that bursts to a CCI region, hibernates and resumes: whole, in part, killed in the middle, and changed in between.
import { type Region, startRegion } from '@spillway/cci-standin';
import type { Cluster } from '@spillway/devcluster';
import {
  cronJobs,
  deployments,
  jobs,
  KubeClient,
  loadKubeconfig,
  namespaces,
  nodes,
  type Pod,
  pods,
  runNodeLease,
  serviceAccounts,
  statefulSets,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { runSpillway, startSpillway } from '../../testkit/run-spillway.ts';
import { Testbed } from '../../testkit/testbed.ts';
import { parseJson } from '../backends/trusted.ts';
import { FakeNode } from '../placement/testing/fake-node.ts';
import { burstLabels, type BurstValue } from '../podspec/contract.ts';
import { hibernationAnnotation } from '../podspec/hibernation.ts';
import type { RemovalReport } from '../removal/report.ts';
import type { HibernationReport, ResumeReport } from './report.ts';

const namespace = 'work';

let region: Region;
let there: KubeClient;
let cluster: Cluster;
let client: KubeClient;
let testbed: Testbed;
/** Of the machine, which is none. */
let leases: AbortController | undefined;

beforeAll(async () => {
  cluster = await borrowCluster();
  region = await startRegion({
    controlPlane: borrowCluster,
    host: cluster.hostAddress,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 100, stopDelayMs: 1000 },
    program: spillwayProgram,
  });
  there = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  for (const name of [namespace, 'other']) {
    await client.resource(namespaces).create({ metadata: { name } });
    await eventually('the default service account', () =>
      client.resource(serviceAccounts).get({ namespace: name, name: 'default' }),
    );
  }
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region } });
  await testbed.start();
  await createWorkloads();
  await allBurst();
});

afterAll(async () => {
  leases?.abort();
  await testbed?.stop('SIGKILL');
  await Promise.all([client?.close(), there?.close()]);
  await Promise.all([cluster?.close(), region?.close()]);
});

const containers = [
  {
    name: 'main',
    image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1',
    resources: { requests: { cpu: '1', memory: '1Gi' } },
  },
];

/** What runs in the region, by the names of workloads. */
const burstAtFirst = { db: 2, deal: 2, elastic: 2, other: 1, web: 3 };

const made = (name: string, value: BurstValue) => ({
  metadata: {
    namespace: name === 'other' ? 'other' : namespace,
    name,
    labels: { app: name, [burstLabels[0]]: value },
  },
  selector: { matchLabels: { app: name } },
  template: {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 2, containers },
  },
});
const jobTemplate = ({ template }: ReturnType<typeof made>) => ({
  ...template,
  spec: { ...template.spec, restartPolicy: 'Never' },
});

async function createWorkloads(): Promise<void> {
  for (const [name, value, replicas] of [
    ['web', 'enforce', 3],
    ['elastic', 'localPrefer', 2],
    ['other', 'enforce', 1],
  ] as const) {
    const { metadata, ...spec } = made(name, value);
    await client.resource(deployments).create({ metadata, spec: { ...spec, replicas } });
  }
  const { metadata, ...set } = made('db', 'enforce');
  await client.resource(statefulSets).create({ metadata, spec: { ...set, serviceName: 'db', replicas: 2 } });
  const deal = made('deal', 'enforce');
  await client.resource(jobs).create({
    metadata: deal.metadata,
    spec: { parallelism: 2, completions: 2, template: jobTemplate(deal) },
  });
  const nightly = made('nightly', 'enforce');
  await client.resource(cronJobs).create({
    metadata: nightly.metadata,
    spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: jobTemplate(nightly) } } },
  });
}

const podsThere = async (): Promise<Pod[]> =>
  (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items;

/** Running in the cluster on the virtual node, and in the region. */
async function burstNow(): Promise<Record<string, number>> {
  const { items } = await client.resource(pods).list({ fieldSelector: `spec.nodeName=${testbed.nodeName}` });
  const running = items.filter(({ status, metadata }) => status?.phase === 'Running' && !metadata?.deletionTimestamp);
  const names = running.map(({ metadata }) => metadata?.labels?.['app'] ?? metadata?.name ?? '');
  const counts = Map.groupBy(names.toSorted(), (name) => name);
  return (await podsThere()).length === running.length
    ? Object.fromEntries(Array.from(counts, ([name, same]) => [name, same.length]))
    : {};
}

async function burstIs(wanted: Record<string, number>): Promise<void> {
  let last: unknown;
  await eventually(`these to burst: ${JSON.stringify(wanted)}`, async () => {
    last = await burstNow();
    return JSON.stringify(last) === JSON.stringify(wanted);
  }).catch((error: unknown) => {
    throw new Error(`${JSON.stringify(last)} burst`, { cause: error });
  });
}
const allBurst = (): Promise<void> => burstIs(burstAtFirst);

/** The meter follows the pods of the region, a moment later. */
async function nothingIsBilled(): Promise<void> {
  await eventually('every bill to have an end', async () => {
    const { bills } = await region.meter.read();
    return bills.length > 0 && bills.every(({ end }) => end !== undefined);
  });
}

const words = (...args: readonly string[]): string[] => [
  'hibernate',
  '--config',
  testbed.configFile,
  '-o',
  'json',
  ...args,
];

async function hibernate(...args: readonly string[]) {
  const { code, out, told } = await runSpillway(cluster.kubeconfig, words(...args));
  return { code, told, report: out === '' ? undefined : parseJson<HibernationReport>(out) };
}

async function resume(...args: readonly string[]) {
  const { code, out, told } = await runSpillway(cluster.kubeconfig, ['resume', '-o', 'json', ...args]);
  return { code, told, report: out === '' ? undefined : parseJson<ResumeReport>(out) };
}

/** Or ended before, when it had nothing more to do: what the run before had begun has gone on. */
async function killedAt(pattern: RegExp, args: readonly string[]): Promise<void> {
  const run = startSpillway(cluster.kubeconfig, args);
  const isSaid = await run.says(pattern);
  run.child.kill('SIGKILL');
  const { code, told } = await run.ended();
  if (!isSaid) expect(code, told).toBe(0);
}

type Listed = Promise<{ items: { metadata?: { name?: string }; spec?: object }[] }>;

async function amountsIn(list: Listed): Promise<[string, unknown][]> {
  return (await list).items.map(({ metadata, spec }) => {
    const { replicas, suspend } = { replicas: undefined, suspend: undefined, ...spec };
    return [metadata?.name ?? '', replicas ?? suspend];
  });
}

/** Replicas, or whether it is suspended, by the names of workloads. */
async function amounts(): Promise<Record<string, unknown>> {
  const all = await Promise.all([
    amountsIn(client.resource(deployments).list({ namespace })),
    amountsIn(client.resource(statefulSets).list({ namespace })),
    amountsIn(client.resource(jobs).list({ namespace })),
    amountsIn(client.resource(cronJobs).list({ namespace })),
  ]);
  return Object.fromEntries(all.flat());
}
const amountsAtFirst = { elastic: 2, web: 3, db: 2, deal: false, nightly: false };

/** Where records are, by kind and name. */
async function records(): Promise<string[]> {
  const kinds = 'deployments,replicasets,statefulsets,jobs,cronjobs,nodes';
  const { stdout } = await cluster.kubectl(['get', kinds, '-A', '-o', 'json']);
  const { items } = parseJson<{ items: { kind: string; metadata: { name: string; annotations?: object } }[] }>(stdout);
  return items
    .filter(({ metadata }) => Object.keys(metadata.annotations ?? {}).includes(hibernationAnnotation))
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

const isClosed = async (): Promise<boolean> =>
  (await client.resource(nodes).get({ name: testbed.nodeName })).spec?.unschedulable === true;

test('says beforehand what it would do, and does nothing without --yes', async () => {
  const plan = await hibernate('--to', 'zero', '--dry-run');
  expect(plan.code, plan.told).toBe(0);
  expect(plan.report?.nodes).toEqual([testbed.nodeName]);
  expect(
    plan.report?.workloads.map(({ name, change, before, burstPods }) => [name, change, before, burstPods]),
  ).toEqual([
    ['nightly', 'suspend', { suspended: false }, 0],
    ['other', 'scale', { replicas: 1 }, 1],
    ['elastic', 'scale', { replicas: 2 }, 2],
    ['web', 'scale', { replicas: 3 }, 3],
    ['deal', 'suspend', { suspended: false }, 2],
    ['db', 'scale', { replicas: 2 }, 2],
  ]);
  const unasked = await hibernate('--to', 'zero');
  expect([unasked.code, unasked.told]).toEqual([2, expect.stringContaining('Add --yes')]);
  expect(await records()).toEqual([]);
  expect(await burstNow()).toEqual(burstAtFirst);
});

test('to zero, killed in the middle: the next run goes on, nothing is billed any more, and a second one has nothing to do', async () => {
  await killedAt(/Closing the virtual node/, words('--to', 'zero', '--yes'));
  await killedAt(/Waiting/, words('--to', 'zero', '--yes'));
  const { code, report, told } = await hibernate('--to', 'zero', '--yes');
  expect(report?.remains, told).toEqual([]);
  expect(code).toBe(0);
  expect(await podsThere()).toEqual([]);
  await nothingIsBilled();
  expect(await amounts()).toEqual({ elastic: 0, web: 0, db: 0, deal: true, nightly: true });
  expect(report?.workloads.find(({ name }) => name === 'web')?.before).toEqual({ replicas: 3 });

  const again = await hibernate('--to', 'zero', '--yes');
  expect([again.code, again.report?.remains]).toEqual([0, []]);
  expect(again.report?.workloads).toEqual(report?.workloads.map((each) => ({ ...each, burstPods: 0 })));
});

test('what hibernates is told by an uninstall, and pods that want to burst wait', async () => {
  const metadata = { namespace: 'other', name: 'late', labels: { [burstLabels[0]]: 'enforce' } };
  await client.resource(pods).create({ metadata, spec: { terminationGracePeriodSeconds: 0, containers } });
  await eventually('the reason why it waits', async () => {
    const { status } = await client.resource(pods).get(metadata);
    return status?.conditions?.some(({ message }) => message?.includes('spillway resume'));
  });
  await client.resource(pods).delete(metadata);
  const { out } = await runSpillway(cluster.kubeconfig, [
    'uninstall',
    '--config',
    testbed.configFile,
    '--dry-run',
    '-o',
    'json',
  ]);
  const others = parseJson<RemovalReport>(out).others.map(({ kind, name }) => `${kind} ${name}`);
  expect(others).toEqual(expect.arrayContaining(['Deployment web', 'StatefulSet db', 'Job deal', 'CronJob nightly']));
});

test('resumes, killed in the middle: everything is as it was and bursts, and no record is left', async () => {
  await killedAt(/Giving back/, ['resume']);
  const { code, report, told } = await resume();
  expect([code, report?.remains], told).toEqual([0, []]);
  expect(await amounts()).toEqual(amountsAtFirst);
  expect(await isClosed()).toBe(false);
  await allBurst();
  expect(await records()).toEqual([]);
  const again = await resume();
  expect([again.code, again.report?.nodes, again.report?.workloads]).toEqual([0, [], []]);
});

test('what somebody has changed in between stays, and is told', async () => {
  expect((await hibernate('--to', 'zero', '--yes')).code).toBe(0);
  const body = { spec: { replicas: 1 } };
  await client.resource(deployments).patch({ namespace, name: 'web' }, { type: 'merge', body });
  const { code, report, told } = await resume();
  expect(code, told).toBe(0);
  const web = report?.workloads.find(({ name }) => name === 'web');
  expect(web).toMatchObject({ restored: {}, kept: ['it has 1 replicas now, and had 3'] });
  expect(await amounts()).toEqual({ ...amountsAtFirst, web: 1 });
  await client
    .resource(deployments)
    .patch({ namespace, name: 'web' }, { type: 'merge', body: { spec: { replicas: 3 } } });
  await allBurst();
});

test('to local: pods run where there is room and wait where there is none, which was said before', async () => {
  await using machine = await FakeNode.start({ client, name: 'machine', cpu: '4' });
  leases = new AbortController();
  const nodeUid = async (): Promise<string> => uidOf(await client.resource(nodes).get({ name: 'machine' }));
  void runNodeLease({ client, nodeName: 'machine', nodeUid, signal: leases.signal });
  const plan = await hibernate('--to', 'local', '--dry-run');
  const waiting = plan.report?.workloads.reduce((sum, each) => sum + (each.waiting ?? 0), 0);
  // Of web, elastic, other and db; the Job is suspended, because its template cannot change.
  expect(waiting).toBe(8 - 4);
  expect(plan.report?.notes).toEqual([expect.stringContaining('Job work/deal is suspended')]);
  await killedAt(/Waiting/, words('--to', 'local', '--yes'));
  const { code, report, told } = await hibernate('--to', 'local', '--yes');
  expect([code, report?.remains], told).toEqual([0, []]);
  expect(await podsThere()).toEqual([]);
  await nothingIsBilled();
  // A StatefulSet makes its second pod when the first is ready.
  await eventually('the machine is full, and the other pods wait', async () => {
    const all = await Promise.all(['other', namespace].map((name) => client.resource(pods).list({ namespace: name })));
    const items = all.flatMap((list) => list.items);
    const here = items.filter(({ spec }) => spec?.nodeName === 'machine');
    const hasFirst = here.some(({ metadata }) => metadata?.name === 'db-0');
    return here.length === 4 && items.length === 4 + (hasFirst ? 4 : 4 - 1);
  });
  expect(await amounts()).toEqual({ ...amountsAtFirst, deal: true });
  expect((await hibernate('--to', 'local', '--yes')).code).toBe(0);
  expect(await podsThere()).toEqual([]);

  const back = await resume();
  expect([back.code, back.report?.remains], back.told).toEqual([0, []]);
  // What has found room on the machine, and may stay there, does.
  await eventually('those that burst only, do', async () => {
    const { elastic: _, ...burst } = await burstNow();
    const { elastic: __, ...wanted } = burstAtFirst;
    return JSON.stringify(burst) === JSON.stringify(wanted);
  });
  expect(await amounts()).toEqual(amountsAtFirst);
  expect(await records()).toEqual([]);
  await client.resource(nodes).patch({ name: 'machine' }, { type: 'merge', body: { spec: { unschedulable: true } } });
  await client.resource(pods).deleteCollection({ namespace, labelSelector: 'app=elastic' });
  machine.lookAgain();
  await allBurst();
  leases.abort();
});

test('only a part: others go on bursting, and what nobody gives back ends only when that is asked for', async () => {
  await allBurst();
  const metadata = { namespace, name: 'alone', labels: { app: 'alone', [burstLabels[0]]: 'enforce' } };
  await client.resource(pods).create({ metadata, spec: { terminationGracePeriodSeconds: 0, containers } });
  await burstIs({ alone: 1, ...burstAtFirst });

  const kept = await hibernate('--to', 'zero', '-n', namespace, '--yes');
  expect(kept.report?.remains, kept.told).toMatchObject([{ kind: 'Pod', name: 'alone', why: expect.any(String) }]);
  expect(kept.code).toBe(3);
  await burstIs({ alone: 1, other: 1 });
  expect(await isClosed()).toBe(false);
  const asked = await hibernate('--to', 'zero', '-n', namespace, '--yes', '--delete-pods');
  expect([asked.code, asked.report?.endedPods], asked.told).toEqual([0, [{ namespace, name: 'alone' }]]);
  await burstIs({ other: 1 });
  expect((await resume('-n', namespace)).code).toBe(0);
  await allBurst();

  const web = await hibernate('--to', 'local', '-l', 'app=web', '--yes');
  expect([web.code, web.report?.remains], web.told).toEqual([0, []]);
  const { web: _, ...others } = burstAtFirst;
  await burstIs(others);
  expect((await resume()).code).toBe(0);
  await allBurst();
});
