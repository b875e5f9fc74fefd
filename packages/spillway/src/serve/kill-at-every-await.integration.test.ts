// One pool after the other, each a process that is killed with SIGKILL while it waits for something, on a real API server.
// The simulated backend lives here, outside of what is killed, and so does the way to the API server: whatever the dead
// process had sent is done or lost as each test says.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Cluster } from '@spillway/devcluster';
import {
  type ClusterConfig,
  configMaps,
  Informer,
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  secrets,
  serviceAccounts,
  silentLogger,
  uidOf,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventuallyWith } from '../../testkit/eventually.ts';
import type { WholeBackend } from '../backends/simulated/faulty-backend.ts';
import { makeSimulatedBackend } from '../backends/simulated/make-simulated.ts';
import type { Scenario } from '../backends/simulated/scenario.ts';
import type { PoolConfig } from '../config/config.ts';
import { isTerminalPhase } from '../podspec/pod-facts.ts';
import { awaits } from './testing/awaits.ts';
import { type Death, Life } from './testing/life.ts';
import { type Person, Population } from './testing/population.ts';
import { isUnsettled, violations } from './testing/verdict.ts';
import { Witness } from './testing/witness.ts';

const soak = process.env['SPILLWAY_SOAK'] === '1';
const podCount = soak ? 1000 : 60;
const few = podCount / 20;
const nodeName = 'virtual-kubelet';
const namespace = 'work';
const scenario: Scenario = {
  // So that the next process finds instances that have started, and others that have not.
  startDelay: { minMs: 0, maxMs: 1500 },
  // Longer than the first list of pods: an earlier listing would be of no use to a sweep.
  latency: { list: 200 },
};
const known = Object.entries(awaits).flatMap(([, group]) => Object.keys(group));

let cluster: Cluster;
let config: ClusterConfig;
let admin: KubeClient;
let pool: PoolConfig;
let clusterId: string;
let dir: string;
let backend: WholeBackend;
let informer: Informer<Pod>;
let population: Population;
let witness: Witness;
const ending = new AbortController();

/** The process that is at work, and the next one, which is loaded already. */
let life: Life;
let next: Life;
let lives = 0;
/** Of the ConfigMap that pods have as a volume. */
let changes = 0;
/** Dead ones whose last request may still arrive. */
const dead: Life[] = [];
let expectedWaits: ReadonlyMap<string, number> = new Map();

beforeAll(async () => {
  cluster = await borrowCluster();
  config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
  admin = new KubeClient({
    config,
    lanes: { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 } },
  });
  clusterId = uidOf(await admin.resource(namespaces).get({ name: 'kube-system' }));
  dir = path.join(cluster.dir, 'kill-test');
  await mkdir(dir, { recursive: true });
  pool = await poolConfig();
  backend = makeSimulatedBackend({
    options: { scenario },
    owner: { clusterId, nodeName },
    logger: silentLogger,
  });
  await admin.resource(namespaces).create({ metadata: { name: namespace } });
  await admin.resource(configMaps).create({ metadata: { namespace, name: 'settings' }, data: { GREETING: 'hello' } });
  await admin.resource(secrets).create({ metadata: { namespace, name: 'password' }, stringData: { PASSWORD: 'x' } });
  await eventually('the default service account and its ConfigMap', async () => {
    await admin.resource(serviceAccounts).get({ namespace, name: 'default' });
    return await admin.resource(configMaps).get({ namespace, name: 'kube-root-ca.crt' });
  });
  informer = new Informer({ client: admin, type: pods, namespace });
  witness = new Witness(informer);
  population = new Population({ client: admin, namespace, nodeName });
  void informer.run(ending.signal);
  void witness.watch(backend, ending.signal);
  await informer.synced;
  next = load();
});

afterEach(async () => {
  if (!life.dead) await end();
});

afterAll(async () => {
  ending.abort();
  await next?.kill();
  await Promise.all(dead.map((each) => each.succeed()));
  await backend?.close();
  await admin?.close();
  await cluster?.close();
});

async function poolConfig(): Promise<PoolConfig> {
  const { cert, key } = await cluster.issue({ commonName: nodeName, ipAddresses: [cluster.nodeAddress] });
  const files = { cert: path.join(dir, 'kubelet.crt'), key: path.join(dir, 'kubelet.key') };
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
  return {
    name: 'rehearsal',
    nodeName,
    labels: {},
    taints: [],
    capacity: {},
    address: cluster.nodeAddress,
    kubeletPort: 0,
    servingCertificate: { files },
    interconnect: 'off',
    dns: { clusterDNS: [], clusterDomain: 'cluster.local' },
    ping: { intervalSeconds: 10, timeoutSeconds: 5 },
    daemonSets: 'placeholder',
    sizing: 'none',
    keepEndedSeconds: 86_400,
    // Whatever part of all it is: who sweeps here is killed again and again before it can.
    sweep: { graceSeconds: 1, maxFraction: 1, suspicionSeconds: 600 },
    metrics: { intervalSeconds: 10 },
    backend: { type: 'simulated', startDelayMs: 0, stopDelayMs: 0, podCidr: '10.246.0.0/16' },
  };
}

function load(): Life {
  lives += 1;
  return new Life({ config, pool, clusterId, backend, logFile: path.join(dir, `life-${lives}.log`) });
}

/** The next process goes to work, in a world in which users went on while nobody served them. */
async function begin(death?: Death): Promise<void> {
  await whileNobodyServes();
  life = next;
  next = load();
  const orphans = new Set(population.all.filter(({ name }) => population.isGone(name)).map(({ name }) => name));
  const ancestors = dead.splice(0);
  await life.begin((name) => orphans.has(name), death);
  await Promise.race([life.atWork, life.died]);
  if (life.dead) dead.push(...ancestors);
  else await Promise.all(ancestors.map((each) => each.succeed()));
}

async function whileNobodyServes(): Promise<void> {
  const { running } = population;
  await Promise.all([population.force(running.slice(0, few)), population.delete(running.slice(few, 2 * few))]);
  await population.create(podCount - population.size);
}

/** Pods come and go: some that have run for long, some that are being created, and all that have ended by themselves. */
async function disturb(): Promise<void> {
  const ended = population.all.filter(
    ({ fate, uid }) => fate === 'kept' && isTerminalPhase(witness.pods.get(uid)?.status?.phase),
  );
  await population.create(podCount + 4 * few + ended.length - population.size);
  const old = population.running.slice(0, 2 * few);
  const young = population.running.slice(-2 * few);
  changes += 1;
  const data = { GREETING: `hello ${changes}` };
  await Promise.all([
    population.delete([...old.slice(few), ...young.slice(few)]),
    population.force([...old.slice(0, few), ...young.slice(0, few)]),
    population.force(ended, 'gone'),
    admin.resource(configMaps).patch({ namespace, name: 'settings' }, { type: 'merge', body: { data } }),
  ]);
}

const isPresent = ({ name }: Person): boolean => informer.store.get(namespace, name) !== undefined;
const unsettled = (): readonly Person[] =>
  population.all.filter((person) => isUnsettled(person, isPresent(person), witness));

const eventually = eventuallyWith({
  patienceMs: 1200 * podCount,
  evidence: async () =>
    `${JSON.stringify(unsettled().slice(0, 5))}; log of the process:\n${await readFile(life.logFile, 'utf8')}`,
});

/** Runs a process that dies so. */
async function dieAt(death: Death): Promise<void> {
  const began = performance.now();
  await begin(death);
  for (let wave = 0; wave < 20 && !life.dead; wave += 1) {
    await disturb();
    await eventually('most to settle', async () => life.dead || unsettled().length < podCount / 4);
  }
  expect(life.killed).toEqual(death);
  await end();
  const { await: waitedFor, moment, nth } = death;
  process.stdout.write(
    `killed ${moment} "${waitedFor}" (${nth}) after ${Math.round(performance.now() - began)} ms: ${population.size} pods, ${unsettled().length} of all in between\n`,
  );
  expect(population.size).toBeGreaterThanOrEqual(podCount);
}

/** A process without a fault brings everything to rest. */
async function rest(): Promise<void> {
  await begin();
  await disturb();
  await eventually('everything to settle', async () => unsettled().length === 0);
  expect(population.all.flatMap((person) => violations(person, witness))).toEqual([]);
  const { instances } = await backend.list(ending.signal);
  const live = population.all.filter(({ fate }) => fate === 'kept');
  expect(new Set(instances.map(({ ref }) => ref.uid))).toEqual(new Set(live.map(({ uid }) => uid)));
}

async function end(): Promise<void> {
  await life.kill();
  dead.push(life);
  expect(await readFile(life.logFile, 'utf8')).not.toContain('defect');
}

it('waits for nothing outside of itself that is not known here', async () => {
  await population.create(podCount);
  await rest();
  await end();
  await rest();
  await end();
  expectedWaits = life.waits;
  expect([...expectedWaits.keys()].toSorted()).toEqual(known.toSorted());
  process.stdout.write(`${JSON.stringify(Object.fromEntries(expectedWaits))}\n`);
});

it.each(Object.entries(awaits))(
  'is killed at every await of %s, and nothing is leaked, doubled or lost',
  async (_, group) => {
    expect(expectedWaits).not.toEqual(new Map());
    for (const [name, moments] of Object.entries(group)) {
      for (const moment of moments) {
        await dieAt({ await: name, moment, nth: Math.ceil((expectedWaits.get(name) ?? 0) / 3) });
        if (soak) {
          await rest();
          await end();
        }
      }
    }
    await rest();
    await end();
  },
);
