// In a cluster that is made up: the order of what is written, and what others do meanwhile.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { asInstalled } from '../addon/installation/installed-config.ts';
import { configOf, namespace, simulatedPool } from '../addon/testing/installations.ts';
import type { Config } from '../config/config.ts';
import { ledgerFile, readIntervals } from '../ledger/files.ts';
import { formatLine } from '../ledger/interval.ts';
import { labelsOf } from '../podspec/installation.ts';
import type { RemovalReport } from './report.ts';
import { hurriedClock, nodeName, owner, poolLease, RemovalWorld } from './testing/removal-world.ts';
import { planUninstall, uninstall, type UninstallOptions } from './uninstall.ts';

const config = asInstalled(configOf(simulatedPool).config, namespace);

let world: RemovalWorld;

beforeEach(() => {
  world = new RemovalWorld();
});

function optionsOf(of: Config): UninstallOptions {
  const pools = of.pools.map((pool) => ({ config: pool, backend: world.backend }));
  const asked = { graceSeconds: undefined, keepCrds: false, timeoutMs: 60_000, tell: () => {} };
  const cluster = { client: world.client, confirmCluster: async () => true };
  return { ...asked, config: of, clusterId: owner.clusterId, pools, cluster, scope: undefined, clock: hurriedClock() };
}

const removal = (of: Config = config): Promise<RemovalReport> => uninstall(optionsOf(of), patient);
const patient = new AbortController().signal;

/** Of a machine of the cluster. */
const others = ['CertificateSigningRequest csr-2'];

const isOfAdmission = (write: string): boolean => /Admission|Webhook/.test(write);

test('admission goes before those who answer for it, and both before anything else', async () => {
  const before = world.names.filter(isOfAdmission);
  expect(before).not.toEqual([]);
  const report = await removal();
  expect(report.remains).toEqual([]);
  const [stopped = 0, closed] = ['patch Deployment spillway', `patch Node ${nodeName}`].map((write) =>
    world.writes.indexOf(write),
  );
  const first = world.writes.slice(0, stopped);
  expect(first.toSorted()).toEqual(before.map((name) => `delete ${name}`).toSorted());
  expect(world.writes.slice(stopped + 1, closed)).toEqual([
    'replace Lease spillway-rehearsal',
    'create Lease spillway-placement',
  ]);
  expect(world.names).toEqual(others);
});

/** What a removal tells of the lease of the node. */
const watched = async (): Promise<string[]> => {
  const told: string[] = [];
  await uninstall({ ...optionsOf(config), tell: (line) => void told.push(line) }, patient);
  return told.filter((line) => line.includes(`kube-node-lease/${nodeName}`));
};

test('the lease of a node is watched for a moment when the pod that renewed it has ended, and as long as it lasts when nobody knows who did', async () => {
  expect(await watched()).toEqual([expect.stringContaining('for 12 s')]);
  world = new RemovalWorld();
  world.remove('Deployment', { namespace, name: 'spillway' });
  expect(await watched()).toEqual([expect.stringContaining('for 40 s')]);
});

test('nothing is changed while somebody besides the Deployment serves', async () => {
  world.renewed.add(poolLease.name);
  await expect(removal()).rejects.toThrow(/stranger_1 renews the lease .* Nothing was changed/);
  expect(world.writes).toEqual([]);
});

test.each(['patch Deployment spillway', 'replace Lease spillway-rehearsal'])(
  'whoever takes over from the Deployment (%s) is told, and what was changed by then',
  async (moment) => {
    world.before = (write) => {
      if (write === moment) world.renewed.add(poolLease.name);
    };
    await expect(removal()).rejects.toThrow(/stranger_1 renews .* was stopped, and nothing else was changed/);
    expect(world.writes.at(-1)).toBe('patch Deployment spillway');
  },
);

test('the namespace of the installation stays with what somebody else has in it, and is not reported as gone', async () => {
  expect((await planUninstall(optionsOf(config), patient)).remains).toEqual([]);
  world.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: 'notes' } });
  const used = {
    kind: 'Namespace',
    name: namespace,
    why: 'it is in use: ConfigMap notes',
    remedy: 'Move or delete them, and run this again',
  };
  const plan = await planUninstall(optionsOf(config), patient);
  const report = await removal();
  expect([plan.remains, report.remains]).toEqual([[used], [used]]);
  expect(plan.removed).not.toContainEqual(expect.objectContaining({ kind: 'Namespace' }));
  expect(report.removed).not.toContainEqual(expect.objectContaining({ kind: 'Namespace' }));
  expect(world.names.toSorted()).toEqual([...others, 'ConfigMap notes', `Namespace ${namespace}`]);
});

test('leases of an election and of a pool that the configuration no longer has are removed, not those of another installation', async () => {
  world.remove('Deployment', { namespace, name: 'spillway' });
  for (const name of ['spillway-former', 'spillway-second-cci', 'unrelated']) {
    world.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } });
  }
  const labels = labelsOf('spillway-second');
  world.put({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'spillway-second-controller', labels },
  });
  await removal({ ...config, leaderElection: { ...config.leaderElection, enabled: false } });
  expect(world.names.filter((name) => name.startsWith('Lease'))).toEqual([
    'Lease spillway-second-cci',
    'Lease unrelated',
  ]);
});

test.each([`patch Node ${nodeName}`, `delete Node ${nodeName}`])(
  'an installation that somebody brings back in the middle (%s) does not serve, and goes',
  async (moment) => {
    world.before = (write) => {
      if (write === moment) world.install();
    };
    const report = await removal();
    expect(world.served).toEqual(['nothing']);
    expect([report.remains, world.names]).toEqual([[], others]);
  },
);

test('one that somebody brings back at the end does not serve, and is reported', async () => {
  world.before = (write) => {
    if (write === 'delete ServiceAccount spillway') world.install();
  };
  const report = await removal();
  expect(world.served).toEqual(['nothing']);
  expect(report.remains).toContainEqual({
    kind: 'Deployment',
    namespace,
    name: 'spillway',
    why: 'somebody has created it again',
    remedy: 'Stop who does that, and run this again',
  });
});

test('killed before any of its writes, a second run leaves nothing', async () => {
  await removal();
  const { writes } = world;
  expect(writes).toEqual(expect.arrayContaining(['delete Pod web', 'stop Instance web', 'remove Instance web']));
  for (const at of writes.keys()) {
    world = new RemovalWorld();
    world.before = (write) => {
      if (world.writes.length >= at) throw new Error(`killed before ${write}`);
    };
    await expect(removal()).rejects.toThrow('killed before');
    world.before = () => {};
    const { remains } = await removal();
    expect([remains, world.names, world.instances], writes[at]).toEqual([[], others, []]);
    expect(world.served).toEqual(['nothing']);
  }
});

test('what ends is written to a ledger that is at hand, and to none else', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'spillway-ledger-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = ledgerFile(directory, 'rehearsal');
  const withLedger = { ...config, ledger: { directory } };
  await removal(withLedger);
  expect(await readdir(directory)).toEqual([]);
  const of = { pool: 'rehearsal', node: nodeName, namespace: 'shop', cpu: '1', memory: '1Gi' };
  const times = { accepted: '', start: '2026-01-01T00:00:00Z' };
  const lines = ['uid', 'lost'].map((uid) => formatLine({ ...of, ...times, uid, name: uid }));
  await writeFile(file, lines.join(''));
  world = new RemovalWorld();
  await removal(withLedger);
  const intervals = await readIntervals([file]);
  expect(Array.from(intervals.values(), ({ uid, end, reason }) => [uid, typeof end, reason])).toEqual([
    ['uid', 'string', 'Failed'],
    ['lost', 'string', 'Lost'],
  ]);
});
