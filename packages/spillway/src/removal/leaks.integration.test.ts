// What clusters that no longer exist have left in a CCI region, next to what a living one has there.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { KubeClient, loadKubeconfig, namespaces, pods, uidOf } from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { cciPool } from '../../testkit/cci-pool.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';
import { accountWithKeys, LocalRegion, podNamed } from '../backends/cci/testing/local-region.ts';
import { parseJson } from '../backends/trusted.ts';
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
  const pool = { name: 'cci', nodeName: 'virtual', servingCertificate: { csr: { approve: true } }, backend };
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
