// The whole of Spillway on a local CCI region in which much goes wrong, and what is said of it anywhere.
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { randomAccount, type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster } from '@spillway/devcluster';
import {
  configMaps,
  events,
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  secrets,
  serviceAccounts,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { bindByHand, volumeOn } from '../../testkit/everest.ts';
import { spillwayProgram } from '../../testkit/program.ts';
import { askAdmin } from '../../testkit/region-admin.ts';
import { Testbed } from '../../testkit/testbed.ts';
import { terminatedOf } from '../../testkit/statuses.ts';
import { cciSupport } from '../backends/cci/fields.ts';
import { podFields } from '../backends/kubernetes/fields/pod-fields.ts';
import { eventually } from '../../testkit/eventually.ts';
import { isCovered, leavesOf, type Schema } from '../backends/testing/field-coverage.ts';

const soak = process.env['SPILLWAY_SOAK'] === '1';
const podCount = soak ? 500 : 60;
/** Attempts that fail are made again after pauses that grow. */
const patience = { timeout: soak ? 1_800_000 : 500_000, interval: 200 };
/** Several pods share a claim. */
const claimCount = podCount / 5;
const namespace = 'work';
const registry = 'swr.cn-north-4.myhuaweicloud.com';

/** Nobody may read these anywhere but where they belong. */
const planted = {
  secretKey: 'planted-secret-key-3f9a',
  securityToken: 'planted-security-token-71c2',
  password: 'planted-password-88e0',
  data: 'planted-secret-data-c45d',
  login: 'planted-registry-login-0b6f',
};

const random = randomAccount('cn-north-4');
const [user] = random.users;
if (user === undefined) throw new Error('an account without a user');
const account = {
  ...random,
  users: [
    {
      ...user,
      password: planted.password,
      accessKeys: [
        {
          accessKey: 'STANDINTEMPORARYKEY0',
          secretKey: planted.secretKey,
          securityToken: planted.securityToken,
          expiresAt: Date.now() + 24 * 3_600_000,
        },
      ],
    },
  ],
};

let region: Region;
let there: KubeClient;
let cluster: Cluster;
let client: KubeClient;
let testbed: Testbed;

beforeAll(async () => {
  cluster = await borrowCluster();
  region = await startRegion({
    controlPlane: borrowCluster,
    accounts: [account],
    host: cluster.hostAddress,
    networkStepMs: 100,
    node: 'simulated',
    simulated: { startDelayMs: 100, stopDelayMs: 50 },
    program: spillwayProgram,
  });
  there = new KubeClient({ config: await loadKubeconfig({ paths: [region.cluster.kubeconfig] }) });
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region }, maxPods: podCount + 10 });
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await Promise.all(Array.from({ length: claimCount }, (_, index) => bindClaim(index)));
  const auths = { [registry]: { username: 'team', password: planted.login } };
  await client.resource(secrets).create({
    metadata: { namespace, name: 'registry' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
  });
  await client.resource(secrets).create({ metadata: { namespace, name: 'login' }, stringData: { key: planted.data } });
  await client.resource(secrets).create({ metadata: { namespace, name: 'unused' }, stringData: { key: planted.data } });
  await eventually('the default service account', () =>
    client
      .resource(serviceAccounts)
      .get({ namespace, name: 'default' })
      .catch(() => false as const),
  );
  await testbed.start();
});

afterAll(async () => {
  await testbed?.stop('SIGKILL');
  await Promise.all([client?.close(), there?.close()]);
  await Promise.all([cluster?.close(), region?.close()]);
});

/** What each pod does, and how it has to look then. */
const kinds = [
  { script: 'sleep 36000', restartPolicy: 'Always', phase: 'Running', exitCode: undefined },
  { script: 'sleep 36000', restartPolicy: 'Always', phase: 'Running', exitCode: undefined },
  { script: 'exit 0', restartPolicy: 'Never', phase: 'Succeeded', exitCode: 0 },
  { script: 'exit 3', restartPolicy: 'Never', phase: 'Failed', exitCode: 3 },
] as const;
const kindOf = (index: number): (typeof kinds)[number] => kinds[index % kinds.length] ?? kinds[0];

const claimName = (index: number): string => `data-${index}`;

/** Half on SFS, half on folders of SFS Turbo. */
async function bindClaim(index: number): Promise<void> {
  const [kind, driver, folder] =
    index % 2 === 0
      ? (['sfs', 'nas.csi.everest.io', ''] as const)
      : (['sfs-turbo', 'sfsturbo.csi.everest.io', 'data'] as const);
  const share = await region.storage.create(kind, account.project.id);
  await bindByHand(client, { namespace, name: claimName(index) }, volumeOn(driver, share, folder));
}

const podNumber = (index: number): Pod => ({
  metadata: { namespace, name: `pod-${index}` },
  spec: {
    nodeName: testbed.nodeName,
    restartPolicy: kindOf(index).restartPolicy,
    terminationGracePeriodSeconds: 1,
    imagePullSecrets: [{ name: 'registry' }],
    containers: [
      {
        name: 'main',
        image: `${registry}/team/app:1`,
        resources: { requests: { cpu: '250m', memory: '512Mi' } },
        command: ['sh', '-c', kindOf(index).script],
        env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'login', key: 'key' } } }],
        volumeMounts: [
          { name: 'login', mountPath: '/login' },
          { name: 'data', mountPath: '/data' },
        ],
      },
    ],
    volumes: [
      { name: 'login', secret: { secretName: 'login' } },
      { name: 'data', persistentVolumeClaim: { claimName: claimName(index % claimCount) } },
    ],
  },
});

const burst = async (): Promise<Pod[]> => {
  const { items } = await there.resource(pods).list({ labelSelector: 'spillway.dev/pod-uid' });
  return items;
};
const home = async (): Promise<Pod[]> => (await client.resource(pods).list({ namespace })).items;

/** What the region's node has. Read from its file, so not from what it says. */
async function instances(): Promise<number> {
  const kept: unknown = JSON.parse(await readFile(region.node?.instancesFile ?? '', 'utf8'));
  return Array.isArray(kept) ? kept.length : Number.NaN;
}

/** For each of our pods, which pods of the region were ever made for it. */
async function watchStarts(signal: AbortSignal, starts: Map<string, Set<string>>): Promise<void> {
  while (!signal.aborted) {
    try {
      const watch = there.resource(pods).watch({ labelSelector: 'spillway.dev/pod-uid', resourceVersion: '0', signal });
      for await (const { object } of watch) {
        const uid = object.metadata?.labels?.['spillway.dev/pod-uid'] ?? '';
        starts.set(uid, (starts.get(uid) ?? new Set()).add(uidOf(object)));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

describe('a region with 10 % errors, throttling, lost answers and broken watches', () => {
  const starts = new Map<string, Set<string>>();
  const watching = new AbortController();
  let watched: Promise<void>;
  let breaking: NodeJS.Timeout;

  beforeAll(async () => {
    watched = watchStarts(watching.signal, starts);
    for (const fault of [
      { kind: 'answer', status: 500, every: 10 },
      { kind: 'answer', status: 429, method: 'POST', every: 25 },
      { kind: 'lostAnswer', every: 25 },
      { kind: 'halfCreated', method: 'POST', path: '/pods$', every: 9 },
      { kind: 'latency', ms: 50, every: 3 },
    ]) {
      await askAdmin(region, 'POST', 'faults', fault);
    }
    breaking = setInterval(() => {
      // One more or less is no matter.
      askAdmin(region, 'DELETE', 'watches').catch(() => undefined);
    }, 2000);
  });

  afterAll(async () => {
    clearInterval(breaking);
    watching.abort();
    await watched;
  });

  test(`has ${podCount} pods, each once, with the right status`, async () => {
    const created = await Promise.all(
      Array.from({ length: podCount }, (_, index) => client.resource(pods).create(podNumber(index))),
    );
    const notRight = async (): Promise<string[]> => {
      const found = new Map((await home()).map((pod) => [uidOf(pod), pod]));
      return created.flatMap((pod, index) => {
        const { phase, exitCode } = kindOf(index);
        const status = found.get(uidOf(pod))?.status;
        const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
        const ended = terminatedOf({ ...pod, status: status ?? {} })?.exitCode;
        const right = status?.phase === phase && (exitCode === undefined ? ready : ended === exitCode);
        return right ? [] : [`${pod.metadata?.name} is ${status?.phase}`];
      });
    };
    await expect.poll(notRight, patience).toEqual([]);
    expect((await burst()).length).toBe(podCount);
    for (const pod of created) expect([uidOf(pod), starts.get(uidOf(pod))?.size]).toEqual([uidOf(pod), 1]);
  });

  test('forgets nothing: when they are deleted, nothing of them is left', async () => {
    await client.resource(pods).deleteCollection({ namespace });
    await expect.poll(async () => (await home()).length, patience).toBe(0);
    await askAdmin(region, 'DELETE', 'faults');
    await eventually('the region has nothing of them', async () => {
      const copies = { labelSelector: 'spillway.dev/copy' };
      const left = await Promise.all([
        burst(),
        there
          .resource(secrets)
          .list(copies)
          .then(({ items }) => items),
        there
          .resource(configMaps)
          .list(copies)
          .then(({ items }) => items),
      ]);
      return left.flat().length === 0 && (await instances()) === 0;
    });
    expect(Array.from(starts.values(), ({ size }) => size)).toEqual(Array.from(starts, () => 1));
  });

  test('leaves no file system bound, and deletes none', async () => {
    const shares = region.storage.read();
    expect(shares).toHaveLength(claimCount);
    await expect.poll(() => region.storage.read().flatMap(({ bound }) => bound), patience).toEqual([]);
    for (const { exists, history } of region.storage.read()) {
      expect(exists).toBe(true);
      expect(history.map(({ what }) => what)).toEqual(expect.arrayContaining(['created', 'imported', 'released']));
    }
  });
});

/** Everything that Spillway says, by where it says it. */
const told = async (): Promise<Map<string, string>> => {
  const { items } = await client.resource(events).list();
  const raw = ['metrics', 'metrics/resource', 'metrics/cadvisor', 'stats/summary'].map(async (path) => {
    const { stdout } = await cluster.kubectl(['get', '--raw', `/api/v1/nodes/${testbed.nodeName}/proxy/${path}`]);
    return [path, stdout] as const;
  });
  const objects = await cluster.kubectl(['get', 'nodes,pods,deployments', '-A', '-o', 'json']);
  return new Map([
    ['the log', await readFile(testbed.logFile, 'utf8')],
    ['the log of the node there', await readFile(region.node?.log ?? '', 'utf8')],
    ['events', JSON.stringify(items)],
    ...(await Promise.all(raw)),
    ['nodes and pods', objects.stdout],
    ['arguments of processes', await commandLines()],
    ['config explain', await printed('config', 'explain', testbed.configFile)],
    ['doctor', await printed('doctor', '--kubeconfig', cluster.kubeconfig)],
  ]);
};

const expectNothing = async (): Promise<void> => {
  for (const [where, text] of await told()) {
    expect([where, text.length > 0]).toEqual([where, true]);
    for (const [what, value] of Object.entries(planted)) {
      const forms = [value, Buffer.from(value).toString('base64').replace(/=+$/, ''), encodeURIComponent(value)];
      expect([where, what, forms.filter((form) => text.includes(form))]).toEqual([where, what, []]);
    }
  }
};

test('the login that a pod pulls with follows the Secret that it comes from', async () => {
  const pod = await client.resource(pods).create(podNumber(0));
  await eventually('the pod runs', async () => (await home()).some(({ status }) => status?.phase === 'Running'));
  const auths = { [registry]: { username: 'team', password: `${planted.login}-rotated` } };
  const body = { stringData: { '.dockerconfigjson': JSON.stringify({ auths }) } };
  await client.resource(secrets).patch({ namespace, name: 'registry' }, { type: 'merge', body });
  await eventually('CCI has the new login', async () => {
    const { items } = await there.resource(secrets).list({ fieldSelector: 'metadata.name=imagepull-secret' });
    const config = Buffer.from(items[0]?.data?.['.dockerconfigjson'] ?? '', 'base64').toString();
    return config.includes(Buffer.from(`team:${planted.login}-rotated`).toString('base64'));
  });
  await client.resource(pods).delete({ namespace, name: pod.metadata?.name ?? '' });
  await eventually('the pod is gone', async () => (await home()).length === 0);
});

describe('what is secret', () => {
  test('is in no log, event, metric, argument or answer, whatever went wrong', async () => {
    await expectNothing();
  });

  test('nor when Spillway signs in with a password, and is refused', async () => {
    const file = `${testbed.dir}/cci-credentials.json`;
    const login = { domainName: account.domain.name, userName: account.users[0]?.name };
    await writeFile(file, JSON.stringify({ ...login, password: `${planted.password}-wrong` }));
    await askAdmin(region, 'DELETE', 'access-keys/STANDINTEMPORARYKEY0');
    await eventually('the refusal is told', async () =>
      /CCI refuses IAM user/.test(await readFile(testbed.logFile, 'utf8')),
    );
    await expectNothing();
    await writeFile(file, JSON.stringify({ ...login, password: planted.password }));
    const pod = await client.resource(pods).create(podNumber(0));
    await eventually('a pod runs', async () => (await home()).some(({ status }) => status?.phase === 'Running'));
    const [copy] = (await there.resource(secrets).list({ labelSelector: 'spillway.dev/copy' })).items;
    expect(Buffer.from(copy?.data?.['key'] ?? '', 'base64').toString()).toBe(planted.data);
    await expectNothing();
    await client.resource(pods).delete({ namespace, name: pod.metadata?.name ?? '' });
  });
});

/** By a command, whatever it ends with. */
async function printed(...args: readonly string[]): Promise<string> {
  const [command = '', ...main] = spillwayProgram;
  const run = promisify(execFile)(command, [...main, ...args]);
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return stdout + stderr;
}

test('every field of a pod that the API server serves has a rule, in CCI too', async () => {
  const document = await client.request<{ components: { schemas: Record<string, Schema> } }>({
    method: 'GET',
    path: '/openapi/v3/api/v1',
  });
  const paths = leavesOf(document.components.schemas, 'io.k8s.api.core.v1.PodSpec');
  expect(paths.length).toBeGreaterThan(300);
  expect(paths).toContain('containers.livenessProbe.httpGet.port');
  for (const table of [podFields, cciSupport.v1.fields, cciSupport.v2.fields]) {
    expect(paths.filter((each) => !isCovered(table, each.split('.')))).toEqual([]);
  }
});

/** Of all processes of this machine. */
async function commandLines(): Promise<string> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.join('\n').replaceAll('\0', ' ');
}
