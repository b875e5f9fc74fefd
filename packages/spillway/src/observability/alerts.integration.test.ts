// What alerts are for happens to a pool that runs on a real API server. Of the metrics that it exports then, Prometheus' own
// evaluation makes alerts.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import {
  type Binding,
  customResourceDefinitions,
  KubeClient,
  loadKubeconfig,
  type Pod,
  pods,
  type PodSpec,
  replicaSets,
  serviceAccounts,
  silentLogger,
  staticCredentials,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import type { InstanceEvent, InstanceRef, Listing } from '../backends/backend.ts';
import { FaultyBackend } from '../backends/simulated/faulty-backend.ts';
import type { Scenario } from '../backends/simulated/scenario.ts';
import { SimulatedBackend } from '../backends/simulated/simulated-backend.ts';
import { SimulatedRegion } from '../backends/simulated/simulated-region.ts';
import { parseConfig } from '../config/load.ts';
import { assemblePool } from '../pool/assemble.ts';
import { burstScheduler, deletionCostAnnotation } from '../podspec/contract.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { runPlacement } from '../serve/placement.ts';
import { ApiGateway, type Pass } from '../serve/testing/api-gateway.ts';
import { Metrics } from './metrics.ts';
import { firingAlerts } from './testing/firing-alerts.ts';

/** Says what no scenario says. */
class TroubledBackend extends SimulatedBackend {
  /** The next listing. */
  nextListing: Listing | undefined;
  /** Pods of which there is another instance. */
  readonly doubles: InstanceRef[] = [];
  #watching = new AbortController();

  override async list(): Promise<Listing> {
    const listing = this.nextListing ?? (await super.list());
    this.nextListing = undefined;
    return listing;
  }

  override async *watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    this.#watching = new AbortController();
    for (const ref of this.doubles.splice(0)) yield { type: 'double', ref, message: 'there are two of them' };
    yield* super.watch(AbortSignal.any([signal, this.#watching.signal]));
  }

  /** Whoever watches lists again. */
  breakWatch(): void {
    this.#watching.abort();
  }
}

const clusterId = 'c1';
const nodeName = 'virtual';
const namespace = 'default';
const running = ['a', 'b', 'c', 'd', 'e'];
const metrics = new Metrics();
const poolConfig = {
  name: 'burst',
  nodeName,
  kubeletPort: 10_320,
  servingCertificate: { csr: { approve: true } },
  sweep: { graceSeconds: 1, suspicionSeconds: 600 },
  ping: { intervalSeconds: 1, timeoutSeconds: 1 },
  metrics: { intervalSeconds: 1 },
  backend: { type: 'simulated' },
};

const region = new SimulatedRegion({ options: { startDelayMs: 50 }, logger: silentLogger });
const passAll: Pass = (_, perform) => perform();
let pass = passAll;
const changes = new Set(['PATCH', 'PUT']);

let ledgerDirectory: string;
let cluster: Cluster;
let admin: KubeClient;
let gateway: ApiGateway;
let pool: RunningPool;

beforeAll(async () => {
  ledgerDirectory = await mkdtemp(path.join(tmpdir(), 'spillway-ledger-'));
  cluster = await borrowCluster();
  const config = await loadKubeconfig({ paths: [cluster.kubeconfig] });
  admin = new KubeClient({ config });
  gateway = await ApiGateway.open(config, (request, perform) => pass(request, perform));
  await eventually('the default service account', () =>
    admin.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
  pool = new RunningPool({ faults: [{ on: 'usage', fails: 'unavailable' }] });
  await Promise.all(running.map((name) => create(name)));
  await Promise.all(running.map((name) => ready(name)));
});

afterAll(async () => {
  await pool?.stop();
  gateway?.[Symbol.dispose]();
  await admin?.close();
  await Promise.all([cluster?.close(), rm(ledgerDirectory, { recursive: true, force: true })]);
});

/** Nothing of what one test does to it is left for the next. */
afterEach(() => {
  pass = passAll;
  pool.backend.change({});
});

/** On the simulated region, whose instances outlive it. */
class RunningPool {
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  readonly #controller: KubeClient;
  readonly troubled = new TroubledBackend({ region, owner: { clusterId, nodeName } });
  readonly backend: FaultyBackend;

  constructor(scenario: Scenario = {}) {
    this.backend = new FaultyBackend({ backend: this.troubled, scenario });
    const [config] = parseConfig(stringify({ pools: [poolConfig] }), 'config.yaml').pools;
    if (config === undefined) throw new Error('no pool');
    this.#controller = new KubeClient({
      config: {
        server: gateway.url,
        insecureSkipTlsVerify: false,
        namespace,
        credentials: staticCredentials({}),
        source: 'the test',
      },
      onRequest: (request) => metrics.recordRequest(request),
    });
    this.#running = assemblePool({
      config,
      clusterId,
      makeBackend: () => this.backend,
      serverVersion: 'v1.36.3',
      ownVersion: '0.0.0',
      address: cluster.hostAddress,
      controller: this.#controller,
      confirmCluster: async () => true,
      ledgerDirectory,
      metrics,
      logger: silentLogger,
    }).run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#controller.close();
  }
}

function podSpec(more: Partial<PodSpec> = {}): PodSpec {
  return { nodeName, containers: [{ name: 'main', image: 'busybox', command: ['sleep', '3600'] }], ...more };
}

async function create(name: string, spec: Partial<PodSpec> = {}, more: Partial<Pod['metadata']> = {}): Promise<void> {
  await admin.resource(pods).create({ metadata: { ...more, name, namespace }, spec: podSpec(spec) });
}

const get = (name: string): Promise<Pod> => admin.resource(pods).get({ namespace, name });

async function ready(name: string): Promise<Pod> {
  return await eventually(`pod ${name} to be Ready`, async () => {
    const pod = await get(name);
    return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && pod;
  });
}

/** The sum of the series of this metric that have all of these labels. */
function sumIn(text: string, name: string, ...labels: readonly string[]): number {
  const series = new RegExp(`^spillway_${name}[{ ]`);
  const lines = text.split('\n').filter((line) => series.test(line));
  const found = lines.filter((line) => labels.every((label) => line.includes(label)));
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const metric = async (name: string, ...labels: readonly string[]): Promise<number> =>
  sumIn(await metrics.render(), name, ...labels);

const complete = (): Promise<number> => metric('backend_listings_total', 'result="complete"');

/** As it happens once a minute. */
async function listed(): Promise<void> {
  const before = await complete();
  pool.troubled.breakWatch();
  await eventually('a listing', async () => (await complete()) > before);
}

async function scrapeUsage(): Promise<void> {
  await cluster.kubectl(['get', '--raw', `/api/v1/nodes/${nodeName}/proxy/metrics/resource`]);
}

/** No status is on its way. */
const isTold = (text: string): boolean => sumIn(text, 'status_writes_waiting') === 0;

/** Which alerts fire if it goes on as while `happens`, and stays as it is when it is `steady`. */
async function alertsWhile(happens: () => Promise<unknown>, steady = isTold): Promise<readonly string[]> {
  const before = await metrics.render();
  await happens();
  const after = await eventually('a steady state', async () => {
    const text = await metrics.render();
    return steady(text) && text;
  });
  return await firingAlerts(before, after);
}

it('SpillwayUsageUnknown: the backend does not say what pods use', async () => {
  const alerts = await alertsWhile(async () => {
    await listed();
    await eventually('the refusal to be counted', async () => {
      await scrapeUsage();
      return (await metric('usage_requests_total', 'result="unavailable"')) > 0;
    });
  });
  pool.backend.change({});
  await eventually('figures', async () => {
    await scrapeUsage();
    return (await metric('usage_pods')) > 0;
  });
  expect(alerts).toEqual(['SpillwayUsageUnknown']);
});

it('none: all is well, pods come and go', async () => {
  const alerts = await alertsWhile(async () => {
    await create('passing');
    await ready('passing');
    await admin.resource(pods).delete({ namespace, name: 'passing' }, { gracePeriodSeconds: 1 });
    await eventually('it to be gone', () =>
      get('passing').then(
        () => false,
        () => true,
      ),
    );
    await listed();
    await scrapeUsage();
  });
  expect(alerts).toEqual([]);
});

it('SpillwayBackendUnreachable: the backend does not answer its health check', async () => {
  const alerts = await alertsWhile(async () => {
    await listed();
    pool.backend.change({ faults: [{ on: 'ping', fails: 'unavailable' }] });
    await eventually('it to be noticed', async () => (await metric('backend_reachable')) === 0);
  });
  pool.backend.change({});
  await eventually('it to be reachable again', async () => (await metric('backend_reachable')) === 1);
  expect(alerts).toEqual(['SpillwayBackendUnreachable']);
});

it('SpillwayListingsFail: the backend does not list its instances', async () => {
  const alerts = await alertsWhile(async () => {
    pool.backend.change({ faults: [{ on: 'list', fails: 'unavailable' }] });
    pool.troubled.breakWatch();
    await eventually('it to fail', async () => (await metric('backend_listings_total', 'result="failed"')) > 0);
  });
  pool.backend.change({});
  const before = await complete();
  await eventually('a listing', async () => (await complete()) > before);
  expect(alerts).toEqual(['SpillwayListingsFail']);
});

it('SpillwayPoolBlocked: the backend is sold out', async () => {
  const alerts = await alertsWhile(async () => {
    await listed();
    pool.backend.change({ faults: [{ on: 'create', fails: 'soldOut' }] });
    await create('unlucky');
    await eventually('the pool to be closed', async () => (await metric('pool_blocked')) === 1);
  });
  const events = ['get', 'events', '-A', '--field-selector', 'involvedObject.kind=Node,reason=SoldOut', '-o', 'name'];
  await eventually('the node to say so', async () => (await cluster.kubectl(events)).stdout);
  pool.backend.change({});
  await ready('unlucky');
  expect(await metric('pool_blocked')).toBe(0);
  expect(alerts).toEqual(['SpillwayPoolBlocked']);
});

it('SpillwayOperationsFail: the backend throttles', async () => {
  const alerts = await alertsWhile(async () => {
    await listed();
    pool.backend.change({ faults: [{ on: 'create', fails: 'throttled' }] });
    await create('throttled');
    await eventually('it', async () => (await metric('operations_total', 'result="throttled"')) > 1);
  });
  pool.backend.change({});
  await ready('throttled');
  expect(alerts).toEqual(['SpillwayOperationsFail']);
});

it('SpillwayDuplicateInstances: the backend has two instances of a pod', async () => {
  const { metadata } = await get('a');
  const alerts = await alertsWhile(async () => {
    pool.troubled.doubles.push({ uid: metadata?.uid ?? '', namespace, name: 'a' });
    await listed();
    await eventually('it to be counted', async () => (await metric('duplicate_instances_total')) > 0);
  });
  expect(alerts).toEqual(['SpillwayDuplicateInstances']);
});

it('SpillwayLossesHeldBack: the backend suddenly lists nothing', async () => {
  const alerts = await alertsWhile(async () => {
    pool.troubled.nextListing = { complete: true, instances: [] };
    await listed();
  });
  await listed();
  expect(await metric('losses_held_back')).toBe(0);
  expect(alerts).toEqual(['SpillwayLossesHeldBack']);
});

it('SpillwayLedgerNotWritten: there is no folder for the ledger any more', async () => {
  const away = `${ledgerDirectory}-away`;
  const alerts = await alertsWhile(async () => {
    await listed();
    await rename(ledgerDirectory, away);
    await writeFile(ledgerDirectory, '');
    await create('billed');
    await ready('billed');
    await eventually('the failure to be counted', async () => (await metric('ledger_writes_total', '"failed"')) > 0);
  });
  await rm(ledgerDirectory);
  await rename(away, ledgerDirectory);
  const written = await metric('ledger_writes_total', '"ok"');
  await eventually('the ledger to be written', async () => (await metric('ledger_writes_total', '"ok"')) > written);
  expect(alerts).toEqual(['SpillwayLedgerNotWritten']);
});

it('SpillwayApiRequestsFail, SpillwayStatusNotWritten: the API server takes no changes', async () => {
  const alerts = await alertsWhile(
    async () => {
      await listed();
      pass = async (request, perform) =>
        changes.has(request.method) ? { status: 503, headers: {}, body: Buffer.from('{}') } : perform();
      await create('untold');
      await eventually('refusals', async () => (await metric('api_requests_total', 'code="503"')) > 20);
    },
    () => true,
  );
  pass = passAll;
  await ready('untold');
  expect(alerts).toEqual(['SpillwayApiRequestsFail', 'SpillwayStatusNotWritten']);
});

it('SpillwayPodsStartSlowly: a pod is Ready two minutes after it was bound', async () => {
  const name = 'slow';
  const resource = admin.resource(pods);
  await create(name, { nodeName: '', schedulerName: 'nobody' });
  const lastTransitionTime = new Date(Date.now() - 120_000).toISOString();
  const body = { status: { conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime }] } };
  await resource.patch({ namespace, name }, { type: 'strategic', body }, { subresource: 'status' });
  const started = await metric('pod_start_seconds_count');
  const alerts = await alertsWhile(async () => {
    await listed();
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
    await resource.create<Binding>({ metadata: { name, namespace }, target }, { subresource: 'binding' });
    await ready(name);
    // It is counted when the API server has answered, which others may see before.
    await eventually('its start to be counted', async () => (await metric('pod_start_seconds_count')) > started);
  });
  expect(alerts).toEqual(['SpillwayPodsStartSlowly']);
});

/** Each look begins the measurement anew. */
const isLate = (text: string): boolean =>
  isTold(text) && Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]) > 1;

it('SpillwayEventLoopBlocked: the process has more to do than one core can', async () => {
  const blocking = setInterval(() => {
    const until = Date.now() + 1500;
    while (Date.now() < until);
  }, 1600);
  try {
    expect(await alertsWhile(listed, isLate)).toEqual(['SpillwayEventLoopBlocked']);
  } finally {
    clearInterval(blocking);
  }
});

describe('placement', () => {
  const stopping = new AbortController();
  let placing: Promise<void>;

  beforeAll(async () => {
    // What becomes of a ReplicaSet is the tests' business.
    await cluster.component('kube-controller-manager').stop();
    await admin.resource(customResourceDefinitions).create(scheduleProfileCrd);
    const config = parseConfig(stringify({ pools: [poolConfig] }), 'config.yaml');
    placing = runPlacement({ config, client: admin, metrics, logger: silentLogger }, stopping.signal);
  });
  afterAll(async () => {
    stopping.abort();
    await placing;
  });

  it('SpillwayPodsWaitForPool: no pool takes a pod that may run there only', async () => {
    const name = 'waiting';
    const selecting = { schedulerName: burstScheduler, nodeSelector: { disk: 'ssd' } };
    await create(name, { ...selecting, nodeName: '' });
    const alerts = await alertsWhile(async () => {
      await listed();
      await eventually('it to wait', async () => (await metric('pods_waiting_for_pool')) > 0);
    });
    await admin.resource(pods).delete({ namespace, name }, { gracePeriodSeconds: 0 });
    await eventually('nothing to wait', async () => (await metric('pods_waiting_for_pool')) === 0);
    expect(alerts).toEqual(['SpillwayPodsWaitForPool']);
  });

  it('SpillwayScaleInMissed: of a ReplicaSet the pod on a real node goes, and the burst pod stays', async () => {
    const app = { matchLabels: { app: 'scaled' } };
    const template = { metadata: { labels: app.matchLabels }, spec: podSpec() };
    const set = { namespace, name: 'scaled' };
    const { metadata } = await admin.resource(replicaSets).create({
      metadata: set,
      spec: { replicas: 2, selector: app, template },
    });
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'scaled', uid: metadata?.uid ?? '' };
    const owned = { ownerReferences: [{ ...owner, controller: true }] };
    await create('burst', {}, { ...owned, annotations: { [deletionCostAnnotation]: '-100' } });
    await create('local', { nodeName: 'real' }, owned);
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    const local = { namespace, name: 'local' };
    await admin.resource(pods).patch(local, { type: 'strategic', body: { status } }, { subresource: 'status' });
    await ready('burst');
    const alerts = await alertsWhile(async () => {
      await listed();
      const scaled = await admin.resource(replicaSets).patch(set, { type: 'merge', body: { spec: { replicas: 1 } } });
      await admin.resource(pods).delete(local, { gracePeriodSeconds: 0 });
      const done = { replicas: 1, observedGeneration: scaled.metadata?.generation };
      await admin
        .resource(replicaSets)
        .patch(set, { type: 'merge', body: { status: done } }, { subresource: 'status' });
      await eventually('it to be counted', async () => (await metric('scale_in_misses_total')) > 0);
    });
    expect(alerts).toEqual(['SpillwayScaleInMissed']);
  });
});

it('SpillwaySweepHeldBack: most pods vanish while nobody watches', async () => {
  await pool.stop();
  const { items } = await admin.resource(pods).list({ namespace });
  for (const { metadata } of items) {
    await admin.resource(pods).delete({ namespace, name: metadata?.name ?? '' }, { gracePeriodSeconds: 0 });
  }
  const alerts = await alertsWhile(async () => {
    pool = new RunningPool();
    await eventually('suspicion', async () => (await metric('orphans_held_back')) > 0);
  });
  expect(alerts).toEqual(['SpillwaySweepHeldBack']);
});
