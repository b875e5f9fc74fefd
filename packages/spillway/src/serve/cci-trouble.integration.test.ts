import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { randomAccount, type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster, startCluster } from '@spillway/devcluster';
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
  systemClock,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { Testbed } from '../../testbed/testbed.ts';
import { runSpillway } from '../cli/testing/run-spillway.ts';
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
  cluster = await startCluster({ node: false });
  const host = cluster.hostAddress;
  region = await startRegion({ accounts: [ours, theirs], host, clock, networkStepMs: 100, node: 'simulated', program });
  user = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  cloud = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  name = `cce-burst-${(await user.resource(namespaces).get({ name: 'kube-system' })).metadata?.uid}`;
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region } });
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

async function doctor({ config = testbed.configFile, more = [] as string[] } = {}): Promise<Diagnosis> {
  const args = ['doctor', '--kubeconfig', cluster.kubeconfig, '--config', config, '-o', 'json', ...more];
  const { code, stdout, stderr } = await runSpillway(args);
  const { findings } = JSON.parse(stdout) as { findings: { code: string; message: string }[] };
  const concerned = findings.filter((each) => /^(cci|backend)-/.test(each.code) && each.code !== 'cci-not-checked');
  return { code, stderr, findings: concerned.map((each) => `${each.code}: ${each.message}`) };
}

/** The configuration with another backend section. */
async function otherwise(change: object): Promise<string> {
  const config: { pools: { backend: object }[] } = parse(await readFile(testbed.configFile, 'utf8'));
  const pools = config.pools.map((pool) => ({ ...pool, backend: { ...pool.backend, ...change } }));
  const file = path.join(testbed.dir, 'otherwise.yaml');
  await writeFile(file, stringify({ ...config, pools }));
  return file;
}

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
  expect(await condition('BackendReachable')).toMatchObject({ status: 'True' });
  expect(await takesPods()).toBe(false);
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
  await expect.poll(told).toContain('Normal BackendPrepared: everything is there that pods need');
});

test('a gateway that is away is told on the node; pods stay what they are, and when it is back all goes on', async () => {
  const [pod] = await readyPods();
  await admin('POST', 'faults', { kind: 'answer', status: 503 });
  await expect.poll(() => condition('BackendReachable')).toMatchObject({ status: 'False' });
  expect(await takesPods()).toBe(false);
  await admin('DELETE', 'faults');
  await admin('POST', 'restart');
  await expect.poll(() => condition('BackendReachable')).toMatchObject({ status: 'True' });
  expect((await readyPods()).map(({ metadata }) => metadata?.uid)).toEqual([pod?.metadata?.uid]);
  await user
    .resource(deployments)
    .patch({ namespace: 'default', name: 'shop' }, { type: 'merge', body: { spec: { replicas: 2 } } });
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
  expect((await doctor()).findings).toContainEqual(expect.stringMatching(/^cci-namespace-taken: .* cluster other$/));
  await cloud
    .resource(namespaces)
    .patch({ name }, { type: 'merge', body: { metadata: { labels: { [projectLabel]: theirs.project.id } } } });
  await expect
    .poll(() => condition('BackendPrepared'))
    .toMatchObject({
      status: 'False',
      reason: 'CCINamespaceTaken',
      message: expect.stringMatching(/was taken by another account/),
    });
  await expect.poll(async () => (await told()).join('\n')).toContain('Warning CCINamespaceTaken: the namespace');
  await cloud.resource(namespaces).delete({ name });
  await expect.poll(() => condition('BackendPrepared')).toMatchObject({ status: 'True' });
  await expect.poll(takesPods).toBe(true);
});

describe('doctor', () => {
  test('has nothing to say of a pool where all is well, and says meanwhile what it does', async () => {
    expect(await doctor()).toMatchObject({
      code: 0,
      findings: [],
      stderr: expect.stringMatching(/^Pool cci: asking /),
    });
  });

  test('starts a pod for who asks for it, and leaves nothing behind', async () => {
    const { code, findings } = await doctor({ more: ['--run-pod', 'nginx'] });
    expect(code).toBe(0);
    expect(findings).toEqual([expect.stringMatching(/^cci-test-pod-started: a pod with nginx started within \d+ s/)]);
    expect((await cloud.resource(pods).list({ namespace: name })).items).toEqual([]);
  });

  test('finds a key that is wrong, one that cannot be read, and a namespace that another account has', async () => {
    const file = path.join(testbed.dir, 'wrong.json');
    const [key] = theirs.users[0]?.accessKeys ?? [];
    await writeFile(file, JSON.stringify({ accessKey: key?.accessKey, secretKey: 'wrong' }));
    const wrong = await doctor({ config: await otherwise({ credentials: { file } }) });
    expect(wrong).toMatchObject({ code: 3, findings: [expect.stringMatching(/^cci-credential-refused: /)] });
    const missing = await doctor({ config: await otherwise({ credentials: { file: `${file}.none` } }) });
    expect(missing.findings).toEqual([expect.stringMatching(/^cci-credential-missing: .*does not exist/)]);
    await writeFile(file, JSON.stringify(key));
    const strangers = await doctor({
      config: await otherwise({ credentials: { file }, projectId: theirs.project.id }),
    });
    expect(strangers.findings).toEqual([expect.stringMatching(/^cci-namespace-taken: .*another account has it/)]);
  });

  test('finds an account in arrears, and one that has not authorized CCI', async () => {
    const account = `accounts/${ours.domain.id}`;
    await admin('PUT', account, { arrears: true });
    expect((await doctor()).findings).toEqual([expect.stringMatching(/^cci-account-blocked: .*arrears/)]);
    await admin('PUT', account, { arrears: false, agency: false });
    expect((await doctor()).findings).toContainEqual(expect.stringMatching(/^cci-not-authorized: /));
    await admin('PUT', account, { agency: true });
  });

  test('finds a clock that is wrong, and asks all the same', async () => {
    await testbed.stop();
    aheadMs = 40 * 60_000;
    expect((await doctor()).findings).toEqual([
      'cci-clock-skew: the clock of this machine is 40 minutes behind that of CCI, which accepts 15',
    ]);
    aheadMs = 0;
  });
});
