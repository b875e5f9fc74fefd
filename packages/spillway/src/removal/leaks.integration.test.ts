// What clusters that no longer exist have left in a CCI region, next to what a living one has there, and what becomes of one that has
// fallen silent.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import {
  configMaps,
  KubeClient,
  loadKubeconfig,
  namespaces,
  nameOf,
  pods,
  silentLogger,
  systemClock,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { cciPool } from '../../testkit/cci-pool.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';
import { accountWithKeys, LocalRegion, podNamed } from '../backends/cci/testing/local-region.ts';
import { surveyCci } from '../backends/cci/survey.ts';
import type { Silence } from '../backends/survey.ts';
import { parseJson } from '../backends/trusted.ts';
import { endSilent, type SilenceReport } from './dead-man.ts';
import type { LeaksReport } from './leaks.ts';

const deleted = ['gone-1', 'gone-2', 'gone-3'];
const patient = new AbortController().signal;

let local: LocalRegion;
let cluster: Cluster;
let there: KubeClient;
let living: string;
let configFile: string;

beforeAll(async () => {
  cluster = await borrowCluster();
  local = await LocalRegion.start({ accounts: [accountWithKeys(2)], simulated: { startDelayMs: 50, stopDelayMs: 50 } });
  there = new KubeClient({ config: await loadKubeconfig({ paths: [local.region.cluster.kubeconfig] }) });
  const client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  living = uidOf(await client.resource(namespaces).get({ name: 'kube-system' }));
  await client.close();
  for (const clusterId of [...deleted, living]) {
    const backend = await local.backend({ clusterId });
    await backend.prepare(patient);
    await backend.create(podNamed('web'), patient);
    await backend.create(podNamed('db'), patient);
  }
  await eventually('all pods run', async () => (await running()).length === 8);
  configFile = path.join(local.dir, 'config.yaml');
  const backend = await cciPool(local.region, local.dir);
  const pool = {
    name: 'cci',
    nodeName: 'virtual',
    servingCertificate: { csr: { approve: true } },
    backend,
    deadMan: { afterSeconds: 3600 },
  };
  await writeFile(configFile, stringify({ pools: [pool] }));
});

afterAll(async () => {
  await there?.close();
  await local?.[Symbol.asyncDispose]();
  await cluster?.close();
});

const running = async (): Promise<string[]> =>
  (await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' })).items
    .filter(({ status }) => status?.phase === 'Running')
    .map(({ metadata }) => metadata?.namespace ?? '')
    .toSorted();

async function leaks(
  kubeconfig: string,
  ...args: readonly string[]
): Promise<Pick<Answer, 'code' | 'told'> & { readonly report: LeaksReport | undefined }> {
  const words = ['leaks', '--config', configFile, '--kubeconfig', kubeconfig, '-o', 'json', ...args];
  const { code, out, told } = await runSpillway(kubeconfig, words);
  return { code, report: out === '' ? undefined : parseJson<LeaksReport>(out), told };
}

test('are found, with their size, and told from those of the living cluster', async () => {
  const { code, report, told } = await leaks(cluster.kubeconfig);
  expect(code, told).toBe(3);
  const found = report?.leaks.map(({ clusterId, living: isLiving, by, namespace, instances }) => ({
    clusterId,
    isLiving,
    by,
    namespace,
    sizes: instances.map(({ cpu, memory, ended }) => [cpu, memory, ended]),
  }));
  const sizes = [
    ['500m', '1Gi', false],
    ['500m', '1Gi', false],
  ];
  expect(found).toHaveLength(4);
  for (const clusterId of [...deleted, living]) {
    const isLiving = clusterId === living ? 'yes' : 'unknown';
    expect(found).toContainEqual({ clusterId, isLiving, by: 'spillway', namespace: `cce-burst-${clusterId}`, sizes });
  }
  expect(report?.leaks.every(({ since = '' }) => Date.parse(since) > 0)).toBe(true);
  // CCI 1.0 does not list namespaces.
  expect(report?.unseen).toEqual([expect.stringContaining('those without pods are not found')]);
});

test('without a cluster that answers, none is known to be alive', async () => {
  const { code, report, told } = await leaks('/nowhere');
  expect([code, told]).toEqual([3, expect.stringContaining('none is known to be alive')]);
  expect(report?.leaks.map((each) => each.living)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
});

test('are removed when they are asked for, and nothing else is', async () => {
  expect(await leaks(cluster.kubeconfig, '--remove', living)).toMatchObject({
    code: 2,
    told: expect.stringContaining('is alive'),
  });
  expect(await leaks(cluster.kubeconfig, '--remove', 'gone-1', 'unheard-of')).toMatchObject({
    code: 2,
    told: expect.stringContaining('nothing of cluster unheard-of was found'),
  });
  expect(await running()).toHaveLength(8);
  const { code, report, told } = await leaks(cluster.kubeconfig, '--remove', 'gone-1', 'gone-2');
  expect(code, told).toBe(0);
  expect(report?.remains).toEqual([]);
  const kept = [living, 'gone-3'].map((id) => `cce-burst-${id}`);
  expect(await running()).toEqual(kept.flatMap((name) => [name, name]).toSorted());
  const names = (await there.resource(namespaces).list()).items.map(({ metadata }) => metadata?.name ?? '');
  expect(names.filter((name) => name.startsWith('cce-burst-')).toSorted()).toEqual(kept.toSorted());
  const { bills } = await local.region.meter.read();
  expect(bills.filter(({ end }) => end === undefined)).toHaveLength(4);
});

const heartbeats = (): Promise<string[]> =>
  there
    .resource(configMaps)
    .list({ labelSelector: 'spillway.dev/dead-man' })
    .then(({ items }) => items.map(({ metadata }) => metadata?.namespace ?? '').toSorted());

describe('a cluster that has fallen silent', () => {
  const silent = 'gone-3';
  const terms = { afterMs: 4000, everyMs: 1000 };
  let backend: Awaited<ReturnType<LocalRegion['backend']>>;
  let silence: Silence;
  let closeSurvey: () => Promise<void>;

  /** One look, in this process. */
  async function look(dryRun: boolean, tell: (line: string) => void = () => {}): Promise<SilenceReport | undefined> {
    const options = { dryRun, graceSeconds: 5, timeoutMs: 60_000, tell, clock: systemClock };
    const [report] = await endSilent([{ node: 'virtual', silence }], options, patient);
    return report;
  }

  beforeAll(async () => {
    backend = await local.backend({ clusterId: silent });
    const options = await cciPool(local.region, local.dir);
    const survey = surveyCci({ options, clusterId: silent, environment: {}, logger: silentLogger });
    silence = survey.silence({ clusterId: silent, nodeName: 'virtual' });
    closeSurvey = () => survey.close();
    // Somebody else's, among those of the silent cluster.
    const containers = [{ name: 'main', image: 'busybox' }];
    await there
      .resource(pods)
      .create({ metadata: { namespace: `cce-burst-${silent}`, name: 'notes' }, spec: { containers } });
  });

  afterAll(() => closeSurvey?.());

  test('keeps everything while it has no heartbeat: nobody has asked for more', async () => {
    expect(await look(false)).toMatchObject({ state: 'no-heartbeat', ended: [] });
    expect(await running()).toHaveLength(4);
  });

  test('keeps everything before the time that it has set itself', async () => {
    expect(await backend.renewHeartbeat(terms, patient)).toBeUndefined();
    expect(await look(false)).toMatchObject({ state: 'alive', afterSeconds: 4, ended: [] });
    expect(await running()).toHaveLength(4);
  });

  test('keeps everything when it comes back in time, although it was overdue', async () => {
    const overdue = await eventually('the heartbeat is overdue', async () => {
      const report = await look(true);
      return report?.state === 'silent' && report;
    });
    expect(overdue).toMatchObject({ ended: ['default/db', 'default/web'] });
    const told = Promise.withResolvers<void>();
    const looking = look(false, (line) => line.includes('Watching') && told.resolve());
    await told.promise;
    expect(await backend.renewHeartbeat(terms, patient)).toBeUndefined();
    expect(await looking).toMatchObject({ state: 'alive', ended: [] });
    expect(await running()).toHaveLength(4);
  });

  test('loses its instances after that time; those of the living cluster and of others stay', async () => {
    const alive = await local.backend({ clusterId: living });
    await alive.renewHeartbeat(terms, patient);
    await eventually('both are overdue', async () => (await look(true))?.state === 'silent');
    const args = ['dead-man', '--config', configFile, '--cluster-id', silent, '--grace', '5', '-o', 'json'];
    const { code, out, told } = await runSpillway('/nowhere', args);
    expect(code, told).toBe(0);
    const { nodes } = parseJson<{ nodes: SilenceReport[] }>(out);
    expect(nodes).toMatchObject([{ state: 'silent', ended: ['default/db', 'default/web'], remains: [] }]);
    expect(await running()).toEqual([`cce-burst-${living}`, `cce-burst-${living}`]);
    await eventually('only those and the one of somebody else are billed', async () => {
      const { bills } = await local.region.meter.read();
      return bills.filter(({ end }) => end === undefined).length === 3;
    });
    const left = await there.resource(pods).list({ namespace: `cce-burst-${silent}` });
    expect(left.items.map(nameOf)).toEqual(['notes']);
  });

  test('is told so when it comes back, once', async () => {
    expect(await backend.renewHeartbeat(terms, patient)).toMatchObject({ instances: 2 });
    expect(await backend.renewHeartbeat(terms, patient)).toBeUndefined();
  });

  test('has nothing there any more when the dead-man switch is switched off, or it is removed', async () => {
    const alive = await local.backend({ clusterId: living });
    await alive.endHeartbeat(patient);
    await alive.endHeartbeat(patient);
    expect(await heartbeats()).toEqual([`cce-burst-${silent}`]);
    await there.resource(pods).delete({ namespace: `cce-burst-${silent}`, name: 'notes' }, { gracePeriodSeconds: 0 });
    const offline = ['--offline', '--cluster-id', silent, '--yes', '-o', 'json'];
    const { code, out, told } = await runSpillway('/nowhere', ['uninstall', '--config', configFile, ...offline]);
    expect(code, told).toBe(0);
    const { removed } = parseJson<{ removed: { kind: string }[] }>(out);
    expect(removed.map(({ kind }) => kind)).toContain('ConfigMap');
    expect(await heartbeats()).toEqual([]);
  });

  test('in CCI 2.0, too', async () => {
    const v2 = await local.backend({ clusterId: living, apiVersion: 'v2', namespaceName: `cce-burst-${living}` });
    await v2.renewHeartbeat(terms, patient);
    const options = await cciPool(local.region, local.dir, { apiVersion: 'v2', namespaceName: `cce-burst-${living}` });
    const survey = surveyCci({ options, clusterId: living, environment: {}, logger: silentLogger });
    try {
      const of = survey.silence({ clusterId: living, nodeName: 'virtual' });
      expect(await of.heartbeat(patient)).toMatchObject({ heartbeat: terms });
      expect((await of.instances(patient)).map(({ pod }) => pod.name).toSorted()).toEqual(['db', 'web']);
    } finally {
      await survey.close();
    }
    await v2.endHeartbeat(patient);
    expect(await heartbeats()).toEqual([]);
  });
});
