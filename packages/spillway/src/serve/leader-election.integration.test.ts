// Two replicas of `spillway serve` on a real API server. They share a simulated backend through its state file: a file
// is no server that refuses the second of two writers, so what is looked at is what the API server and the file say in
// the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { type Cluster } from '@spillway/devcluster';
import {
  isForbidden,
  KubeClient,
  type Lease,
  leases,
  loadKubeconfig,
  nameOf,
  namespaces,
  nodes,
  type Pod,
  pods,
  serviceAccounts,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventuallyHolds, eventuallyWith } from '../../testkit/eventually.ts';
import { rbacArguments } from '../../testkit/rbac-arguments.ts';

const podCount = process.env['SPILLWAY_SOAK'] === '1' ? 500 : 100;
const main = ['--conditions=spillway-source', path.join(import.meta.dirname, '../cli/main.ts')];
const nodeName = 'virtual-kubelet';
const namespace = 'work';
const leaseRef = { namespace: 'spillway-system', name: 'spillway-rehearsal' };

interface Replica {
  readonly name: string;
  readonly kubeletPort: number;
  readonly healthPort: number;
  process: ChildProcess | undefined;
  starts: number;
}

const replica = (name: string, number: number): Replica => ({
  name,
  kubeletPort: 10_280 + number,
  healthPort: 10_290 + number,
  process: undefined,
  starts: 0,
});

const a = replica('a', 0);
const b = replica('b', 1);
let cluster: Cluster;
let admin: KubeClient;
let dir: string;
let kubeconfig: string;

beforeAll(async () => {
  cluster = await borrowCluster();
  admin = new KubeClient({
    config: await loadKubeconfig({ paths: [cluster.kubeconfig] }),
    lanes: { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 } },
  });
  dir = path.join(cluster.dir, 'election-test');
  await mkdir(dir, { recursive: true });
  await writeConfig(a, {});
  const manifests = await run(rbacArguments(cluster, configOf(a)));
  expect((await cluster.kubectl(['apply', '-f', '-'], { input: manifests })).stderr).toBe('');
  kubeconfig = await cluster.kubeconfigFor({ serviceAccount: { namespace: 'spillway-system', name: 'spillway' } });
  await Promise.all([a, b].map((each) => writeConfig(each, { kubernetes: { kubeconfig } })));
  await admin.resource(namespaces).create({ metadata: { name: namespace } });
  await eventually('the default service account', () =>
    admin.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
});

afterAll(async () => {
  for (const each of [a, b]) {
    each.process?.kill('SIGCONT');
    await stop(each, 'SIGKILL');
  }
  await admin?.close();
  await cluster?.close();
});

const configOf = ({ name }: Replica): string => path.join(dir, `${name}.yaml`);

async function writeConfig(of: Replica, more: object): Promise<void> {
  const pool = {
    name: 'rehearsal',
    nodeName,
    address: cluster.nodeAddress,
    // Replicas on machines of their own would use the same ports.
    kubeletPort: of.kubeletPort,
    servingCertificate: { csr: { approve: true } },
    sweep: { graceSeconds: 3 },
    backend: { type: 'simulated', startDelayMs: 2000, stateFile: path.join(dir, 'state.json') },
  };
  const config = {
    pools: [pool],
    leaderElection: { enabled: true },
    observability: { healthPort: of.healthPort },
    ...more,
  };
  await writeFile(configOf(of), stringify(config));
}

async function run(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  await once(child, 'close');
  return stdout;
}

const logFile = ({ name, starts }: Replica): string => path.join(dir, `${name}-${starts}.log`);

async function start(of: Replica): Promise<void> {
  of.starts += 1;
  const log = await open(logFile(of), 'w');
  of.process = cluster.spawn(process.execPath, [...main, 'serve', '--config', configOf(of)], {
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
}

async function stop(of: Replica, signal: NodeJS.Signals): Promise<number | null> {
  const child = of.process;
  of.process = undefined;
  if (!child || child.exitCode !== null) return child?.exitCode ?? null;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}

async function logs(): Promise<string> {
  const texts = [a, b]
    .filter(({ starts }) => starts > 0)
    .map(async (each) => `--- ${each.name}\n${await readFile(logFile(each), 'utf8')}`);
  return (await Promise.all(texts)).join('\n');
}

const eventually = eventuallyWith({ evidence: async () => `logs of spillway:\n${await logs()}` });

/** As a kubelet's probe asks: over TLS, without looking at the certificate. */
async function check({ healthPort }: Replica, what: '/healthz' | '/readyz'): Promise<string> {
  const options = { host: cluster.nodeAddress, port: healthPort, path: what, rejectUnauthorized: false, agent: false };
  const [answer] = await once(request(options).end(), 'response');
  return textOf(answer);
}

async function standing(of: Replica, what: 'active' | 'standby'): Promise<void> {
  await eventually(`${of.name} to be ${what}`, async () => (await check(of, '/readyz')) === `ok\nrehearsal ${what}\n`);
  expect(await check(of, '/healthz')).toBe(`ok\nrehearsal ${what}\n`);
}

async function endpointIs(of: Replica): Promise<void> {
  await eventually(`the node to point to ${of.name}`, async () => {
    const node = await admin.resource(nodes).get({ name: nodeName });
    return node.status?.daemonEndpoints?.kubeletEndpoint?.Port === of.kubeletPort;
  });
}

const getLease = (): Promise<Lease> => admin.resource(leases).get(leaseRef);
const timeOf = (text: string | undefined): number => Date.parse(text ?? '');

async function createPods(prefix: string, count: number): Promise<void> {
  const create = (index: number): Promise<Pod> =>
    admin.resource(pods).create({
      metadata: { name: `${prefix}-${index}`, namespace },
      spec: {
        nodeName,
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image: 'busybox', command: ['sh', '-c', 'echo hello; sleep 3600'] }],
      },
    });
  await Promise.all(Array.from({ length: count }, (_, index) => create(index)));
}

const listPods = async (): Promise<readonly Pod[]> => (await admin.resource(pods).list({ namespace })).items;
const isRunning = ({ status }: Pod): boolean =>
  status?.phase === 'Running' && status.containerStatuses?.every(({ ready }) => ready) === true;
const containerOf = ({ status }: Pod): string | undefined => status?.containerStatuses?.[0]?.containerID;
const byUid = <T>(list: readonly Pod[], value: (pod: Pod) => T): Map<string, T> =>
  new Map(list.map((pod) => [uidOf(pod), value(pod)]));

async function allRunning(count: number): Promise<readonly Pod[]> {
  const list = await eventually(`${count} running pods`, async () => {
    const found = await listPods();
    return found.length === count && found.every(isRunning) && found;
  });
  expect(list.map(({ status }) => status?.containerStatuses?.[0]?.restartCount)).toEqual(list.map(() => 0));
  return list;
}

const versionOf = ({ metadata }: Pod): string | undefined => metadata?.resourceVersion;

/** Once the new leader has written what it found: the versions of two looks, some seconds apart, are the same. */
async function settledVersions(): Promise<Map<string, string | undefined>> {
  let last = byUid(await listPods(), versionOf);
  let at = Date.now();
  return eventually('statuses that stay as they are', async () => {
    if (Date.now() - at < 3000) return undefined;
    const before = last;
    last = byUid(await listPods(), versionOf);
    at = Date.now();
    return [...last].every(([uid, version]) => before.get(uid) === version) && last;
  });
}

/** What the backend keeps for each UID: another start would have another time and address. */
async function instances(): Promise<Map<string, { readonly acceptedAt: number; readonly podIP: string }>> {
  const kept: unknown = JSON.parse(await readFile(path.join(dir, 'state.json'), 'utf8'));
  const found = new Map<string, { acceptedAt: number; podIP: string }>();
  for (const entry of Array.isArray(kept) ? kept : []) {
    const text = JSON.stringify(entry);
    const uid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0] ?? '';
    expect(found.has(uid), `two instances of ${uid}`).toBe(false);
    const { acceptedAt, podIP } = entry.record;
    found.set(uid, { acceptedAt, podIP });
  }
  return found;
}

async function refused(call: Promise<unknown>): Promise<void> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  expect(isForbidden(error), String(error)).toBe(true);
}

it('one replica is active, the other stands by and says so', async () => {
  await start(a);
  await standing(a, 'active');
  await start(b);
  await standing(b, 'standby');
  await endpointIs(a);
  expect((await getLease()).spec).toMatchObject({ leaseDurationSeconds: 10, leaseTransitions: 0 });
  await expect(fetch(`https://${cluster.nodeAddress}:${b.kubeletPort}/healthz`)).rejects.toThrow();
});

it('the active one is killed while pods start: the other takes over, and no pod starts twice', async () => {
  const half = podCount / 2;
  await createPods('first', half);
  await allRunning(half);
  const creating = createPods('second', half);
  await eventually(
    'the backend to have taken some of the second half',
    async () => (await instances()).size >= 1.5 * half,
  );
  await stop(a, 'SIGKILL');
  const killedAt = Date.now();
  const kept = await instances();
  expect(kept.size).toBeGreaterThanOrEqual(1.5 * half);
  const ran = byUid((await listPods()).filter(isRunning), containerOf);
  await creating;
  const before = await getLease();
  await standing(b, 'active');
  process.stdout.write(
    `take-over ${Date.now() - killedAt} ms after kill -9: ${ran.size} of ${podCount} pods ran, ${kept.size} were known to the backend\n`,
  );
  const after = await getLease();
  expect(after.spec?.leaseTransitions).toBe(1);
  expect(timeOf(after.spec?.acquireTime) - timeOf(before.spec?.renewTime)).toBeGreaterThanOrEqual(10_000);

  const list = await allRunning(podCount);
  const now = await instances();
  expect(new Set(now.keys())).toEqual(new Set(list.map(uidOf)));
  for (const [uid, instance] of kept) expect(now.get(uid)).toEqual(instance);
  const containers = byUid(list, containerOf);
  for (const [uid, container] of ran) expect(containers.get(uid)).toBe(container);
  await endpointIs(b);
  const shown = await eventually('the log of a pod through the new kubelet API', async () => {
    const { stdout } = await cluster.kubectl(['logs', '-n', namespace, 'first-0']);
    return stdout !== '' && stdout;
  });
  expect(shown).toBe('hello\n');
});

it('a paused leader that wakes up after the take-over does no harm', async () => {
  await start(a);
  await standing(a, 'standby');
  b.process?.kill('SIGSTOP');
  await createPods('meanwhile', 10);
  const removed = (await listPods()).filter((pod) => nameOf(pod).startsWith('first-')).slice(0, 10);
  for (const pod of removed) await admin.resource(pods).delete({ namespace, name: nameOf(pod) });
  await standing(a, 'active');
  await endpointIs(a);
  await allRunning(podCount);
  const before = await settledVersions();
  const lease = await getLease();

  b.process?.kill('SIGCONT');
  await standing(b, 'standby');
  await eventually('b to say that it lost', async () =>
    (await readFile(logFile(b), 'utf8')).includes('leadership lost'),
  );
  await createPods('afterwards', 1);
  const list = await allRunning(podCount + 1);
  const versions = byUid(list, versionOf);
  expect([...before].filter(([uid, version]) => versions.get(uid) !== version)).toEqual([]);
  await eventuallyHolds(async () => expect(new Set((await instances()).keys())).toEqual(new Set(list.map(uidOf))));
  expect((await getLease()).spec).toMatchObject({
    holderIdentity: lease.spec?.holderIdentity,
    leaseTransitions: lease.spec?.leaseTransitions,
    acquireTime: lease.spec?.acquireTime,
  });
  await endpointIs(a);
  expect(await readFile(logFile(b), 'utf8')).not.toContain('defect');
});

it('a graceful stop hands over at once, and the one that once lost leads again', async () => {
  const before = byUid(await listPods(), containerOf);
  expect(await stop(a, 'SIGTERM')).toBe(0);
  const stopped = await getLease();
  const waitsFor = timeOf(stopped.spec?.renewTime);
  await standing(b, 'active');
  await endpointIs(b);
  const { spec } = await getLease();
  expect(spec?.leaseTransitions).toBe(3);
  process.stdout.write(`hand-over ${timeOf(spec?.acquireTime) - waitsFor} ms after the release\n`);
  expect(byUid(await allRunning(before.size), containerOf)).toEqual(before);
});

it('may read and write the leases of its pools only', async () => {
  const own = new KubeClient({ config: await loadKubeconfig({ paths: [kubeconfig] }) });
  await refused(own.resource(leases).get({ ...leaseRef, name: 'spillway-other' }));
  await refused(own.resource(leases).list({ namespace: leaseRef.namespace }));
  await refused(own.resource(leases).delete(leaseRef));
  await refused(own.resource(leases).create({ metadata: { namespace: 'kube-system', name: leaseRef.name } }));
  await own.close();
});
