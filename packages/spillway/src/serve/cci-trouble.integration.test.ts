import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomAccount, type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster } from '@spillway/devcluster';
import {
  deployments,
  events,
  KubeClient,
  loadKubeconfig,
  namespaces,
  nodes,
  type NodeCondition,
  type Pod,
  pods,
  refOf,
  silentLogger,
  systemClock,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { cciPool } from '../../testkit/cci-pool.ts';
import { Testbed } from '../../testkit/testbed.ts';
import { diagnoseCci } from '../backends/cci/doctor/diagnose.ts';
import { inspectCci } from '../backends/cci/doctor/inspect.ts';
import { checkRegistry } from '../backends/cci/doctor/registry.ts';
import { swrLogin } from '../backends/cci/images/swr.ts';
import { runSpillway } from '../cli/testing/run-spillway.ts';
import type { CciBackendConfig } from '../config/cci.ts';
import { isReady } from '../podspec/pod-facts.ts';

const burst = { 'virtual-kubelet.io/burst-to-cci': 'enforce' };
const projectLabel = 'tenant.kubernetes.io/project-id';
const program = [process.execPath, '--conditions=spillway-source', path.join(import.meta.dirname, '../cli/main.ts')];
const ours = randomAccount('cn-north-4');
const theirs = randomAccount('cn-north-4');

/** How far the region's clock is ahead */
let aheadMs = 0;
const clock = { now: () => Date.now() + aheadMs, sleep: systemClock.sleep };

let cluster: Cluster;
let region: Region;
let testbed: Testbed;
let user: KubeClient;
/** Behind the gateway */
let cloud: KubeClient;
let name: string;

beforeAll(async () => {
  cluster = await borrowCluster();
  const host = cluster.hostAddress;
  region = await startRegion({
    controlPlane: borrowCluster,
    accounts: [ours, theirs],
    host,
    clock,
    networkStepMs: 100,
    node: 'simulated',
    program,
  });
  user = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  cloud = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  name = `cce-burst-${(await user.resource(namespaces).get({ name: 'kube-system' })).metadata?.uid}`;
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region, soldOutAfterSeconds: 2 } });
});
afterAll(async () => {
  await testbed?.stop();
  await Promise.all([user?.close(), cloud?.close()]);
  await Promise.all([cluster?.close(), region?.close()]);
});

async function admin(method: string, what: string, body?: object): Promise<void> {
  const { endpoint, token } = region.admin;
  const answer = await fetch(`${endpoint}/${what}`, {
    method,
    headers: { Authorization: `Bearer ${token}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
}

async function condition(type: string): Promise<NodeCondition | undefined> {
  const { status } = await user.resource(nodes).get({ name: testbed.nodeName });
  return status?.conditions?.find((known) => known.type === type);
}

interface Diagnosis {
  readonly code: number | null;
  /** Of CCI and of the node, without what is never looked at */
  readonly findings: readonly string[];
  readonly stderr: string;
}

async function doctor(more: readonly string[] = []): Promise<Diagnosis> {
  const args = ['doctor', '--kubeconfig', cluster.kubeconfig, '--config', testbed.configFile, '-o', 'json', ...more];
  const { code, stdout, stderr } = await runSpillway(args);
  const { findings }: { findings: Finding[] } = JSON.parse(stdout);
  return { code, stderr, findings: concerned(findings) };
}

/** What doctor says of the account alone, with another backend section. */
async function ofAccount(change: Partial<CciBackendConfig>): Promise<readonly string[]> {
  const backend = await cciPool(region, testbed.dir, change);
  const clusterId = name.replace('cce-burst-', '');
  const { signal } = new AbortController();
  const account = await inspectCci(
    { backend, clusterId, onProgress: () => undefined, environment: process.env, logger: silentLogger },
    signal,
  );
  const nothing = { nodes: [], services: [], deployments: [], statefulSets: [], jobs: [], daemonSets: [], pods: [] };
  const view = { pool: 'cci', nodeName: testbed.nodeName, backend, dnsServers: ['192.0.2.1'], account };
  return concerned(diagnoseCci({ ...view, interconnect: 'off', cluster: nothing }));
}

type Finding = { readonly code: string; readonly message: string };

const concerned = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ code }) => /^(cci|backend)-/.test(code) && code !== 'cci-not-checked')
    .map(({ code, message }) => `${code}: ${message}`);

async function takesPods(): Promise<boolean> {
  const { spec } = await user.resource(nodes).get({ name: testbed.nodeName });
  return !spec?.taints?.some(({ key }) => key === 'bursting.cci.io/no-schedule');
}

async function told(): Promise<string[]> {
  const { items } = await user
    .resource(events)
    .list({ namespace: 'default', fieldSelector: 'involvedObject.kind=Node' });
  return items.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

async function shop(replicas: number): Promise<void> {
  await user.resource(deployments).create({
    metadata: { name: 'shop', namespace: 'default', labels: burst },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'shop' } },
      template: {
        metadata: { labels: { app: 'shop' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'main', image: 'nginx', resources: { requests: { cpu: '250m', memory: '1Gi' } } }],
        },
      },
    },
  });
}

async function readyPods(): Promise<Pod[]> {
  const { items } = await user.resource(pods).list({ namespace: 'default', labelSelector: 'app=shop' });
  return items.filter((pod) => isReady(pod) && pod.metadata?.deletionTimestamp === undefined);
}

test('a network that stays Pending is told on the node, which takes no pods until it is Active', async () => {
  await admin('PUT', 'networks', { stuck: true });
  await testbed.start();
  await expect
    .poll(() => condition('BackendPrepared'))
    .toMatchObject({ status: 'False', reason: 'CCINetworkPending', message: 'the network of CCI is Initializing' });
  await expect.poll(() => condition('BackendReachable')).toMatchObject({ status: 'True' });
  await expect.poll(takesPods).toBe(false);
  await expect.poll(told).toContain('Normal CCINetworkPending: the network of CCI is Initializing');
  expect(await doctor()).toMatchObject({
    code: 3,
    findings: [
      expect.stringMatching(/^backend-not-prepared: /),
      'cci-network-not-ready: the network of CCI is Initializing',
    ],
  });
  await shop(1);
  await admin('PUT', 'networks', { stuck: false });
  await expect.poll(() => condition('BackendPrepared')).toMatchObject({ status: 'True', reason: 'BackendPrepared' });
  await expect.poll(takesPods).toBe(true);
  await expect.poll(readyPods).toHaveLength(1);
  await expect.poll(told).toContain('Normal BackendPrepared: everything that pods need is in place');
});

test('a gateway that is away is told on the node; pods stay what they are, and when it is back all goes on', async () => {
  const [pod] = await readyPods();
  await admin('POST', 'faults', { kind: 'answer', status: 503 });
  await expect.poll(() => condition('BackendReachable')).toMatchObject({ status: 'False' });
  await expect.poll(takesPods).toBe(false);
  await admin('DELETE', 'faults');
  await admin('POST', 'restart');
  await expect.poll(() => condition('BackendReachable')).toMatchObject({ status: 'True' });
  expect((await readyPods()).map(({ metadata }) => metadata?.uid)).toEqual([pod?.metadata?.uid]);
  await user
    .resource(deployments)
    .patch({ namespace: 'default', name: 'shop' }, { type: 'merge', body: { spec: { replicas: 2 } } });
  await expect.poll(readyPods).toHaveLength(2);
});

test('a region without room closes the pool; a pod that waits for a place goes at once when it is deleted, and another gets its place later', async () => {
  await admin('POST', 'faults', { kind: 'soldOut' });
  const scale = (replicas: number): Promise<unknown> =>
    user
      .resource(deployments)
      .patch({ namespace: 'default', name: 'shop' }, { type: 'merge', body: { spec: { replicas } } });
  const waiting = async (): Promise<Pod[]> => {
    const { items } = await user.resource(pods).list({ namespace: 'default', labelSelector: 'app=shop' });
    return items.filter(({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'SoldOut');
  };
  await scale(4);
  await expect.poll(waiting).toHaveLength(2);
  await expect.poll(takesPods).toBe(false);
  const first = refOf((await waiting())[0] ?? {});
  await user.resource(pods).delete(first);
  const isThere = async (): Promise<boolean> =>
    await user
      .resource(pods)
      .get(first)
      .then(
        () => true,
        () => false,
      );
  // Sooner than a pod is let go of whose node says nothing.
  await expect.poll(isThere, { timeout: 25_000 }).toBe(false);
  await admin('DELETE', 'faults');
  await expect.poll(readyPods, { timeout: 120_000 }).toHaveLength(4);
  await expect.poll(takesPods).toBe(true);
  await scale(2);
  await expect.poll(readyPods).toHaveLength(2);
});

test('a namespace that somebody deletes in CCI while pods run is made again, and the workload has its pods again', async () => {
  const before = (await readyPods()).map(({ metadata }) => metadata?.uid);
  const old = await cloud.resource(namespaces).get({ name });
  await cloud.resource(namespaces).delete({ name });
  await expect
    .poll(async () => {
      const now = (await readyPods()).map(({ metadata }) => metadata?.uid);
      return now.length === 2 && now.every((uid) => !before.includes(uid));
    })
    .toBe(true);
  const made = await cloud.resource(namespaces).get({ name });
  expect(made.metadata?.uid).not.toBe(old.metadata?.uid);
  await expect.poll(() => condition('BackendPrepared')).toMatchObject({ status: 'True' });
});

test('a namespace whose name another cluster, or another account, has is left alone; when it is free it is ours', async () => {
  await user.resource(deployments).delete({ namespace: 'default', name: 'shop' });
  await expect.poll(async () => (await cloud.resource(pods).list({ namespace: name })).items).toEqual([]);
  await testbed.stop();
  await cloud.resource(namespaces).delete({ name });
  const take = async (project: string): Promise<void> => {
    const labels = { [projectLabel]: project, 'spillway.dev/cluster': 'other' };
    await expect
      .poll(() =>
        cloud
          .resource(namespaces)
          .create({ metadata: { name, labels } })
          .then(() => 'made', String),
      )
      .toBe('made');
  };
  await take(ours.project.id);
  await testbed.start();
  await expect
    .poll(() => condition('BackendPrepared'))
    .toMatchObject({
      status: 'False',
      reason: 'CCINamespaceTaken',
      message: expect.stringMatching(/belongs to the cluster other\. Set namespaceName /),
    });
  await cloud
    .resource(namespaces)
    .patch({ name }, { type: 'merge', body: { metadata: { labels: { [projectLabel]: theirs.project.id } } } });
  await expect
    .poll(() => condition('BackendPrepared'))
    .toMatchObject({
      status: 'False',
      reason: 'CCINamespaceTaken',
      message: expect.stringMatching(/belongs to another account/),
    });
  await expect.poll(async () => (await told()).join('\n')).toContain('Warning CCINamespaceTaken: the CCI namespace');
  await cloud.resource(namespaces).delete({ name });
  await expect.poll(() => condition('BackendPrepared')).toMatchObject({ status: 'True' });
  await expect.poll(takesPods).toBe(true);
});

test('doctor has nothing to say where all is well, and starts a pod for who asks for it, of which nothing is left', async () => {
  const { code, findings, stderr } = await doctor(['--run-pod', 'nginx']);
  expect(findings).toEqual([expect.stringMatching(/^cci-test-pod-started: a pod with nginx started within \d+ s/)]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^Pool cci: asking /);
  expect((await cloud.resource(pods).list({ namespace: name })).items).toEqual([]);
});

test('doctor finds a key that is wrong, one that cannot be read, and a namespace that another account has', async () => {
  const file = path.join(testbed.dir, 'other.json');
  const [key] = theirs.users[0]?.accessKeys ?? [];
  const credentials = { file };
  await writeFile(file, JSON.stringify({ accessKey: key?.accessKey, secretKey: 'wrong' }));
  // The gateway locks a key after more than five failures.
  for (let time = 1; time <= 5; time += 1) {
    expect(await ofAccount({ credentials })).toEqual([expect.stringMatching(/^cci-credential-refused: /)]);
  }
  await writeFile(file, JSON.stringify(key));
  expect(await ofAccount({ credentials, projectId: theirs.project.id })).toEqual([
    expect.stringMatching(/^cci-namespace-taken: .*it belongs to another account/),
  ]);
  expect(await ofAccount({ credentials: { file: `${file}.none` } })).toEqual([
    expect.stringMatching(/^cci-credential-missing: .*no such file/),
  ]);
});

test('doctor asks the registry whether it accepts the login of the key', async () => {
  const [key] = ours.users[0]?.accessKeys ?? [];
  const at = { endpoint: region.swr.endpoint, ca: await readFile(region.caFile, 'utf8') };
  const asked = async (secretKey = ''): Promise<string> => {
    const login = swrLogin({ accessKey: key?.accessKey ?? '', secretKey }, { region: region.name });
    if (login === undefined) throw new Error('a permanent key has a login');
    return (await checkRegistry(login, at, new AbortController().signal)).kind;
  };
  expect(await asked(key?.secretKey)).toBe('accepted');
  expect(await asked('wrong')).toBe('refused');
});

test('doctor finds an account in arrears, one that has not authorized CCI, and a clock that is wrong', async () => {
  const account = `accounts/${ours.domain.id}`;
  await admin('PUT', account, { arrears: true });
  expect(await ofAccount({})).toEqual([expect.stringMatching(/^cci-account-blocked: .*arrears/)]);
  await admin('PUT', account, { arrears: false, agency: false });
  expect(await ofAccount({})).toEqual([expect.stringMatching(/^cci-not-authorized: /)]);
  await admin('PUT', account, { agency: true });
  await testbed.stop();
  aheadMs = 40 * 60_000;
  expect(await ofAccount({})).toEqual([
    'cci-clock-skew: the clock of this machine is 40 minutes behind that of CCI, which accepts a difference of 15',
  ]);
  aheadMs = 0;
});
