// Two Spillways of two clusters' marks on one backend, which is not always right about what it has. Both run in this
// process, because a simulated region is shared in memory only.
import { type Cluster } from '@spillway/devcluster';
import {
  KubeClient,
  loadKubeconfig,
  namespaces,
  type Pod,
  pods,
  serviceAccounts,
  silentLogger,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { containerOf } from '../../testkit/statuses.ts';
import { BackendError, type Instance, type InstanceEvent, type Listing } from '../backends/backend.ts';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../backends/simulated/simulated-region.ts';
import { eventually } from '../../testkit/eventually.ts';
import { makeWorkload, script } from '../backends/testing/workloads.ts';
import { parseConfig } from '../config/load.ts';
import { Metrics } from '../observability/metrics.ts';
import { assemblePool } from '../pool/assemble.ts';

/** Answers some listings as it is told, and loses its watch when it is told. */
class MoodyBackend extends SimulatedBackend {
  /** The next listings, the first one first. */
  readonly lists: Listing[] = [];
  /** Listings that said what is. */
  truths = 0;
  #watching = new AbortController();

  override async list(): Promise<Listing> {
    const list = this.lists.shift();
    if (list !== undefined) return list;
    this.truths += 1;
    return super.list();
  }

  override async *watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    this.#watching = new AbortController();
    yield* super.watch(AbortSignal.any([signal, this.#watching.signal]));
    if (!signal.aborted) throw new BackendError('unavailable', 'the watch broke');
  }

  /** Whoever watches lists again. */
  breakWatch(): void {
    this.#watching.abort();
  }
}

class Spillway {
  readonly metrics = new Metrics();
  readonly backend: MoodyBackend;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(of: { clusterId: string; nodeName: string; kubeletPort: number }, sweep: object) {
    const { nodeName, kubeletPort } = of;
    this.backend = new MoodyBackend({ region, owner: of });
    const servingCertificate = { csr: { approve: true } };
    const pool = { name: nodeName, nodeName, kubeletPort, servingCertificate, sweep, backend: { type: 'simulated' } };
    const [config] = parseConfig(stringify({ pools: [pool] }), 'config.yaml').pools;
    if (config === undefined) throw new Error('no pool');
    const running = assemblePool({
      config,
      clusterId: of.clusterId,
      makeBackend: (owner) => {
        expect(owner).toEqual({ clusterId: of.clusterId, nodeName });
        return this.backend;
      },
      serverVersion: 'v1.36.3',
      ownVersion: '0.0.0',
      address: cluster.nodeAddress,
      controller: admin,
      confirmCluster: async () => true,
      metrics: this.metrics,
      logger: silentLogger,
    });
    this.#running = running.run(this.#stopping.signal);
  }

  /** Instances go on running. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async metric(name: string): Promise<number> {
    const line = (await this.metrics.render()).split('\n').find((each) => each.startsWith(`spillway_${name}{`));
    return Number(line?.split(' ').at(-1));
  }

  /** The backend is listed as `lists` say, and then as it is: what follows from `lists` was decided. */
  async listed(...lists: readonly Listing[]): Promise<void> {
    for (const list of lists) {
      this.backend.lists.push(list);
      this.backend.breakWatch();
      await expect.poll(() => this.backend.lists).toEqual([]);
    }
    const before = this.backend.truths;
    this.backend.breakWatch();
    await expect.poll(() => this.backend.truths).toBeGreaterThan(before);
  }
}

const blue = { clusterId: 'blue', nodeName: 'blue-node', kubeletPort: 10_310 };
const green = { clusterId: 'green', nodeName: 'green-node', kubeletPort: 10_311 };
const soon = { graceSeconds: 1, suspicionSeconds: 1 };
const shared = 'shared';
const doomed = 'doomed';
const count = 5;

const region = new SimulatedRegion({ options: { startDelayMs: 50 }, logger: silentLogger });
/** Nobody serves these any more; they are somebody's all the same. */
const strangers = [
  new SimulatedBackend({ region, owner: { clusterId: 'red', nodeName: blue.nodeName } }),
  new SimulatedBackend({ region, owner: { clusterId: blue.clusterId, nodeName: 'other-node' } }),
];
const views = {
  blue: new SimulatedBackend({ region, owner: blue }),
  green: new SimulatedBackend({ region, owner: green }),
};

let cluster: Cluster;
let admin: KubeClient;
let blueOne: Spillway;
let greenOne: Spillway;

beforeAll(async () => {
  cluster = await borrowCluster();
  admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  for (const namespace of [doomed, shared]) {
    await admin.resource(namespaces).create({ metadata: { name: namespace } });
    await eventually('the default service account', () =>
      admin
        .resource(serviceAccounts)
        .get({ namespace, name: 'default' })
        .catch(() => undefined),
    );
  }
  for (const stranger of strangers) {
    await stranger.create(makeWorkload({ image: 'busybox', spec: { containers: [script('sleep 3600')] } }));
  }
  blueOne = new Spillway(blue, soon);
  greenOne = new Spillway(green, soon);
});

afterAll(async () => {
  await Promise.all([blueOne?.stop(), greenOne?.stop()]);
  await Promise.all([...strangers, ...Object.values(views)].map((backend) => backend.close()));
  await admin?.close();
  await cluster?.close();
});

async function run(prefix: string, nodeName: string, namespace = shared): Promise<readonly Pod[]> {
  const container = { name: 'main', image: 'busybox', command: ['sleep', '3600'] };
  for (let index = 0; index < count; index += 1) {
    await admin.resource(pods).create({
      metadata: { name: `${prefix}-${index}`, namespace, labels: { prefix } },
      spec: { nodeName, containers: [container] },
    });
  }
  await expect
    .poll(async () => (await podsOf(prefix)).map(({ status }) => status?.phase))
    .toEqual(Array.from({ length: count }, () => 'Running'));
  return podsOf(prefix);
}

async function podsOf(prefix: string): Promise<readonly Pod[]> {
  return (await admin.resource(pods).list({ labelSelector: `prefix=${prefix}` })).items;
}

/** With its pods, although no kubelet says that they have ended. */
async function forceDelete(namespace: string): Promise<void> {
  for (const { metadata } of (await admin.resource(pods).list({ namespace })).items) {
    await admin.resource(pods).delete({ namespace, name: metadata?.name ?? '' }, { gracePeriodSeconds: 0 });
  }
  await admin.resource(namespaces).delete({ name: namespace });
  await expect
    .poll(async () => (await admin.resource(namespaces).list()).items.map(({ metadata }) => metadata?.name))
    .not.toContain(namespace);
}

async function eventsOfBlue(reason: string): Promise<string> {
  const selector = `involvedObject.name=${blue.nodeName},reason=${reason}`;
  return (await cluster.kubectl(['get', 'events', '-A', '--field-selector', selector])).stdout;
}

/** Another start would show another time, address, or container. */
async function instancesOf(view: SimulatedBackend): Promise<readonly Instance[]> {
  return (await view.list()).instances;
}

const uidsOf = async (view: SimulatedBackend): Promise<string[]> =>
  (await instancesOf(view)).map(({ ref }) => ref.uid).toSorted();

it('the instances of a namespace that was deleted by force while one was down: reported, held back, gone in the end; what others own is not touched', async () => {
  const billed = await run('billed', blue.nodeName, doomed);
  const kept = await run('kept', green.nodeName);
  expect(await uidsOf(views.blue)).toEqual(billed.map(uidOf).toSorted());
  expect(await uidsOf(views.green)).toEqual(kept.map(uidOf).toSorted());
  const others = [views.green, ...strangers];
  const before = await Promise.all(others.map(instancesOf));

  await blueOne.stop();
  await forceDelete(doomed);
  blueOne = new Spillway(blue, { ...soon, suspicionSeconds: 3600 });
  await expect.poll(() => blueOne.metric('orphans_held_back')).toBe(count);
  await expect
    .poll(() => eventsOfBlue('SuspiciousSweep'))
    .toContain(`${count} of ${count} instances on the backend have no pod in this cluster`);
  expect(await uidsOf(views.blue)).toEqual(billed.map(uidOf).toSorted());
  await blueOne.stop();

  blueOne = new Spillway(blue, soon);
  await expect.poll(() => uidsOf(views.blue)).toEqual([]);
  await expect.poll(() => blueOne.metric('orphans_held_back')).toBe(0);
  await greenOne.listed();
  expect(await Promise.all(others.map(instancesOf))).toEqual(before);
  expect((await podsOf('kept')).map((pod) => containerOf(pod))).toEqual(kept.map((pod) => containerOf(pod)));
});

it.each([
  ['that are empty and incomplete', [false, false]],
  ['that are empty and say that they are complete', [true, true]],
])('listings %s: nothing is removed, reported as lost or started again', async (_, complete) => {
  const prefix = complete[0] ? 'empty' : 'incomplete';
  await blueOne.stop();
  blueOne = new Spillway(blue, {});
  const running = await run(prefix, blue.nodeName);
  const before = await instancesOf(views.blue);
  await blueOne.listed(...complete.map((each) => ({ complete: each, instances: [] })));
  // What would have been done wrong comes before this.
  await run(`after-${prefix}`, blue.nodeName);
  expect(await instancesOf(views.blue)).toEqual(expect.arrayContaining([...before]));
  expect(await instancesOf(views.blue)).toHaveLength(before.length + count);
  expect((await podsOf(prefix)).map((pod) => [pod.status?.phase, containerOf(pod)])).toEqual(
    running.map((pod) => ['Running', containerOf(pod)]),
  );
  const suspicion = expect.poll(() => eventsOfBlue('SuspiciousListing'));
  await (complete.includes(true) ? suspicion.toContain('no longer lists') : suspicion.toBe(''));
});
