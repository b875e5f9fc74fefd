// Spillway's own image in a real cluster, with a CCI region and a pool of another kind: installed by the command line and by Helm, upgraded under burst pods, rolled back, uninstalled.
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  clusterRoleBindings,
  clusterRoles,
  configMaps,
  deployments,
  type KubeObject,
  nameOf,
  namespaces,
  pods,
  type ResourceType,
  roleBindings,
  roles,
  secrets,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { auditFindings } from '../../testkit/audit/audit.ts';
import { permissionsOf } from '../../testkit/audit/permissions.ts';
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
import { burstLabels } from '../podspec/contract.ts';
import { isOfInstallation } from '../podspec/installation.ts';

const chart = path.join(import.meta.dirname, '../../../../charts/spillway');
const podCount = 50;
/** An image that cannot run `spillway serve`. */
const broken = 'docker.io/library/busybox:latest';
const undo = new AsyncDisposableStack();

/** Of Spillway, and of what Helm runs before it removes a release. */
const accounts = ['spillway', 'spillway-uninstall'].map((name) => `system:serviceaccount:${namespace}:${name}`);
const grants = new Map<string, KubeObject>();

let site: InstallationSite;

/** What nothing in this file needs, and what does. */
const neededElsewhere: readonly (readonly [RegExp, string])[] = [
  [/: (?:list|get) /, 'an API server that does not stream the first list of a watch is asked for lists'],
  [
    /: patch (?:jobs|replicasets|statefulsets)\/status/,
    'controllers whose pods were refused by a webhook that was away are woken',
  ],
  [/placement: (?:delete pods|patch pods\/status)/, 'pods of a pool that is sold out are given back'],
  [/controller: patch nodes elsewhere/, 'labels and taints follow the configuration'],
  [/placement: patch events/, 'an event that repeats is counted'],
  [/(?:admission|link): update secrets/, 'the authorities of the webhooks and of the link are renewed'],
  [/link-tokens: /, 'pods with agents get new tokens, also on virtual nodes where pods no longer get agents'],
  [/extension-apiserver-authentication-reader/, 'granted as a whole by the cluster'],
  [/spillway-uninstall: delete (?:scheduleprofiles|secrets|leases|certificatesigningrequests)/, 'there are none here'],
  [
    /spillway-uninstall: (?:patch pods|create leases|update leases)/,
    'gates are lifted, and leases held, where there are any',
  ],
];

const isOwn = ({ metadata }: KubeObject): boolean => isOfInstallation(metadata?.labels, 'spillway');

/** Roles and bindings of the installation that is there. */
function noteGrants(objects: readonly KubeObject[]): void {
  for (const object of objects)
    grants.set([object.kind, object.metadata?.namespace, object.metadata?.name].join(' '), object);
}

async function installedGrants(): Promise<readonly KubeObject[]> {
  const found = await Promise.all(
    [roles, roleBindings, clusterRoles, clusterRoleBindings].map(async (type: ResourceType<KubeObject>) => {
      const { items } = await site.client.resource(type).list();
      return items.map((object) => ({ ...object, kind: type.kind }));
    }),
  );
  const all = found.flat();
  return all.filter((object) => isOwn(object) || object.metadata?.name === 'extension-apiserver-authentication-reader');
}

beforeAll(async () => {
  site = undo.use(await startInstallationSite({ audited: accounts }));
});

afterAll(() => undo.disposeAsync());

test('an installation by the command line serves its virtual node, over the remains of one that failed, in a namespace that lets only restricted pods in', async () => {
  const install = (image: string, ...more: readonly string[]): Promise<Answer> =>
    site.spillway('install', '--config', site.configFile, '--image', image, ...more);
  const failed = await install(broken, '--timeout', '5');
  expect(failed.code, failed.out + failed.told).toBe(1);
  // The link server has its address by now.
  await writeFile(site.configFile, stringify(configOf(site.pool, site.cluster.kubeconfig, [await site.linkServer()])));
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

test('a burst pod of a pool with agents reaches a Service by its name', async () => {
  await site.startCaller();
  expect(await site.call('first')).toBe('called');
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
  try {
    await work();
  } finally {
    // Whoever serves now starts and ends pods.
    await churn();
  }
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

const talker = { namespace: 'work', name: 'talker' };

/** Whatever `work` does, whoever follows a log and asks again has each line of it in the end; new followers and commands find the pod at once. */
async function followed(work: () => Promise<void>): Promise<void> {
  const log = recordLog(site.cluster, talker);
  await eventually('a first line', () => log.seen.numbers.size > 0);
  await work();
  const fresh = recordLog(site.cluster, talker);
  const { stdout } = await site.cluster.kubectl(['exec', '-n', 'work', 'talker', '--', 'echo', 'here']);
  expect(stdout).toBe('here\n');
  const [line] = await eventually(
    'a line for a new follower',
    () => fresh.seen.numbers.size > 0 && [...fresh.seen.numbers],
  );
  await fresh.stop();
  await eventually('the same line for the other one', () => log.seen.numbers.has(line ?? 0));
  await log.stop();
  const [first = 0, ...more] = log.seen.numbers;
  expect(more).toEqual(Array.from(more, (_, index) => first + 1 + index));
  expect(log.seen.follows).toBeGreaterThan(1);
  expect(fresh.seen.follows).toBe(1);
}

test('no burst pod notices an upgrade to another version with one replica, no pod is refused or let in without an answer, and no line of a log is lost', async () => {
  await site.burst(podCount);
  await site.talk(3000);
  await unnoticed({ webhooks: 'always' }, () => followed(() => upgraded('--image', site.images.next)));
});

test('nor one to two replicas', async () => {
  const before = await site.standings();
  await followed(() => upgraded('--image', site.images.current, '--replicas', '2'));
  expect(await site.standings()).toEqual(before);
  await site.client.resource(pods).delete(talker, { gracePeriodSeconds: 1 });
  await eventually('it is gone', async () => (await site.burstPods()).length === podCount);
  const status = await site.spillway('status', '-o', 'json');
  expect(JSON.parse(status.out)).toMatchObject({
    healthy: true,
    image: site.images.current,
    replicas: { wanted: 2, ready: 2 },
    pools: [
      { name: 'cci', burstPods: { Running: podCount } },
      { name: 'elsewhere', burstPods: { Running: 1 } },
    ],
  });
  // By a name that its agent asks the new link servers for.
  expect(await site.call('second')).toBe('called');
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

test('another replica takes over when the node of the leader is drained, which leaves one of two, and no burst pod notices', async () => {
  const drained = (await site.leader()) ?? '';
  const drain = (...args: readonly string[]): ReturnType<typeof site.cluster.kubectl> =>
    site.cluster.kubectl([
      'drain',
      site.cluster.nodeName ?? '',
      '--ignore-daemonsets',
      '--delete-emptydir-data',
      ...args,
    ]);
  await unnoticed({ webhooks: 'always' }, async () => {
    // The only node has both replicas: of these, one by one.
    await site.cluster.kubectl(['label', 'pod', '-n', namespace, drained, 'drained=first']);
    const { code, stderr } = await drain('--pod-selector=drained=first');
    expect(code, stderr).toBe(0);
    const { items } = await site.client.resource(pods).list({ namespace });
    expect(items.map(nameOf)).not.toContain(drained);
    expect(items.map(({ status }) => status?.phase)).toEqual(expect.arrayContaining(['Pending', 'Running']));
    expect(items).toHaveLength(2);
    const other = await drain('--pod-selector=app.kubernetes.io/name=spillway', '--timeout=1s');
    expect(other.stderr).toContain("it would violate the pod's disruption budget");
    await eventually('another leader', async () => ![drained, undefined].includes(await site.leader()));
    await site.cluster.kubectl(['uncordon', site.cluster.nodeName ?? '']);
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

test('burst pods of all kinds run, with what they read of the cluster', async () => {
  const burst = { [burstLabels[0]]: 'enforce' };
  const labels = { app: 'kinds' };
  const resources = { requests: { cpu: '250m', memory: '512Mi' } };
  const own = { image: 'swr.cn-north-4.myhuaweicloud.com/team/app:1', resources };
  const ref = { namespace: 'work', name: 'settings' };
  await site.client.resource(configMaps).create({ metadata: ref, data: { mode: 'fast' } });
  await site.client.resource(secrets).create({ metadata: ref, data: { key: Buffer.from('1').toString('base64') } });
  const volumes = [
    { name: 'map', configMap: { name: 'settings' } },
    { name: 'secret', secret: { secretName: 'settings' } },
    { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }] } },
  ];
  const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
  const env = [{ name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } }];
  const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', ...own, env, volumeMounts }], volumes };
  const labelled = (name: string): object => ({ namespace: 'work', name, labels: { ...burst } });
  const template = { metadata: { labels }, spec };
  const objects = [
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: labelled('ring'),
      spec: { serviceName: 'ring', replicas: 2, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: labelled('count'),
      spec: { template: { metadata: { labels }, spec: { ...spec, restartPolicy: 'Never' } } },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { ...labelled('alone'), labels: { ...burst, ...labels } }, spec },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'work', name: 'ring' },
      spec: { selector: labels, ports: [{ port: 80 }] },
    },
    {
      apiVersion: 'scheduling.cci.io/v2',
      kind: 'ScheduleProfile',
      metadata: { namespace: 'work', name: 'web' },
      spec: {
        objectLabels: { matchLabels: { app: 'profiled' } },
        strategy: 'localPrefer',
        location: { local: { maxNum: 1 }, cci: {} },
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace: 'work', name: 'profiled' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'profiled' } },
        template: { metadata: { labels: { app: 'profiled' } }, spec: { containers: [{ name: 'main', ...own }] } },
      },
    },
  ];
  const applied = await site.cluster.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
  expect(applied.code, applied.stderr).toBe(0);
  await eventually('all of them run', async () => {
    const running = (await site.burstPods()).filter(
      ({ metadata: { labels: of = {} } = {}, status }) => of['app'] === 'kinds' && status?.phase === 'Running',
    );
    return running.length === 4;
  });
  await eventually('one of two is placed elsewhere by its profile', async () =>
    (await site.burstPods()).some(
      ({ metadata, spec: { nodeName } = {} }) =>
        metadata?.labels?.['app'] === 'profiled' && nodeName === 'virtual-kubelet',
    ),
  );
  await site.cluster.kubectl([
    'delete',
    '-n',
    'work',
    'statefulset/ring',
    'job/count',
    'pod/alone',
    'deployment/profiled',
    'scheduleprofile/web',
  ]);
  noteGrants(await installedGrants());
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
  const kubeconfig = await readFile(site.cluster.kubeconfig);
  const data = {
    'login.json': login.toString('base64'),
    'ca.pem': ca.toString('base64'),
    kubeconfig: kubeconfig.toString('base64'),
  };
  await site.client.resource(secrets).create({ metadata: { namespace, name: 'cci' }, data });
  const files = { ca: '/etc/spillway/cci/ca.pem', credentials: { file: '/etc/spillway/cci/login.json' } };
  const values = path.join(folder, 'values.yaml');
  const write = (linkServers: readonly string[]): Promise<void> =>
    writeFile(
      values,
      stringify({
        config: configOf({ ...pool, ...files }, '/etc/spillway/cci/kubeconfig', linkServers),
        image: { repository: site.images.repository },
        secrets: [{ name: 'cci', folder: '/etc/spillway/cci' }],
      }),
    );
  await write([]);
  const release = ['spillway', chart, '-n', namespace, '-f', values, '--wait', '--timeout', '5m'];
  await site.helm('install', ...release);
  await eventually('it is healthy', async () => (await site.spillway('status')).code === 0);
  await site.burst(5);
  const before = await site.standings();
  await write([await site.linkServer()]);
  await site.helm('upgrade', ...release, '--set', 'replicas=2');
  await eventually('it is healthy with two replicas', async () => {
    const { out } = await site.spillway('status', '-o', 'json');
    const { healthy, replicas } = parseJson<{ healthy: boolean; replicas: { ready: number } }>(out);
    return healthy && replicas.ready === 2;
  });
  expect(await site.standings()).toEqual(before);
  await site.startCaller();
  expect(await site.call('third')).toBe('called');
  // The command line is another way to the same release.
  const { code, out, told } = await site.spillway('upgrade', '--image', site.images.next);
  expect(code, out + told).toBe(0);
  expect(told).toContain(`the Helm release spillway in ${namespace}`);
  await site.helm('upgrade', ...release, '--set', 'image.tag=next');
  await eventually('it is healthy with one replica', async () => (await site.spillway('status')).code === 0);
  expect((await site.spillway('status')).out).toContain('1 of 1 replicas ready');
  expect(await site.standings()).toEqual(before);
  const hooks = await site.helm('get', 'hooks', 'spillway', '-n', namespace);
  noteGrants(parseAllDocuments(hooks).map((document): KubeObject => document.toJS()));
  noteGrants(await installedGrants());
  await site.helm('uninstall', 'spillway', '-n', namespace, '--wait', '--timeout', '5m');
  await eventually('nothing is left', async () => (await site.residue()) === '');
});

test('Helm takes over what the command line has installed, and the command line removes what Helm has', async () => {
  await site.client.resource(deployments).delete({ namespace: 'work', name: 'web' });
  const made = await site.spillway('install', '--config', site.configFile, '--image', site.images.current);
  expect(made.code, made.out + made.told).toBe(0);
  await site.burst(2);
  const before = await site.standings();
  const { data = {} } = await site.client.resource(configMaps).get({ namespace, name: 'spillway-config' });
  const values = path.join(site.folder, 'adopted.yaml');
  await writeFile(
    values,
    stringify({
      config: parse(data['config.yaml'] ?? ''),
      image: { repository: site.images.repository },
      secrets: [{ name: 'spillway-files', folder: '/etc/spillway/files' }],
    }),
  );
  const release = ['spillway', chart, '-n', namespace, '-f', values, '--wait', '--timeout', '5m'];
  await site.helm('install', ...release, '--take-ownership');
  await eventually('it is healthy', async () => (await site.spillway('status')).code === 0);
  await site.helm('upgrade', ...release, '--set', 'replicas=2');
  const kept = await site.spillway('upgrade', '--replicas', '1', '-o', 'json');
  expect(kept.code, kept.out + kept.told).toBe(0);
  const { changes } = parseJson<{ changes: readonly { kind: string; change: string }[] }>(kept.out);
  // Not the Secret with the files that the command line had brought, which Helm does not know of.
  expect(changes.filter(({ change }) => change === 'removed').map(({ kind }) => kind)).toEqual(['PodDisruptionBudget']);
  expect(await site.standings()).toEqual(before);
  const gone = await site.spillway('uninstall', '--config', site.configFile, '--yes');
  expect(gone.code, gone.out + gone.told).toBe(0);
  expect(await site.helm('list', '-A', '-q')).toBe('');
  await site.client.resource(deployments).delete({ namespace: 'work', name: 'web' });
  expect(await site.residue()).toBe('');
});

test('nothing was refused to the accounts in all this, and they have no right that they did not need', async () => {
  expect(grants.size).toBeGreaterThan(0);
  const { denied, unused } = auditFindings(await site.requests(), permissionsOf([...grants.values()]));
  expect(denied).toEqual([]);
  expect(unused.filter((each) => !neededElsewhere.some(([pattern]) => pattern.test(each)))).toEqual([]);
});
