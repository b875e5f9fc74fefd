// From the vendor's add-on to Spillway. A stand-in for the add-on runs pods on `bursting-node`, in a CCI namespace with its names and marks.
import type { Cluster } from '@spillway/devcluster';
import {
  deployments,
  isConflict,
  KubeClient,
  loadKubeconfig,
  nameOf,
  nodes,
  type Pod,
  pods,
  podDisruptionBudgets,
  refOf,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';
import { Testbed } from '../../testkit/testbed.ts';
import type { CciConnection } from '../backends/cci/connect.ts';
import { dialects } from '../backends/cci/dialects.ts';
import { makeNamespace } from '../backends/cci/prepare/namespace.ts';
import { makeNetwork } from '../backends/cci/prepare/network.ts';
import { accountWithKeys, LocalRegion } from '../backends/cci/testing/local-region.ts';
import { cciHome } from '../backends/cci/home.ts';
import { cciPool } from '../../testkit/cci-pool.ts';
import { parseJson } from '../backends/trusted.ts';
import { isDeleting, isReady } from '../podspec/pod-facts.ts';
import { type AddOnReport, openNodes } from './report.ts';
import { addOnNode } from './testing/add-on-objects.ts';

const label = 'virtual-kubelet.io/burst-to-cci';
/** As CCE names a cluster; the cluster itself does not know it. */
const cceId = '1d450236-5b28-11f1-a7f6-0255ac10026a';
const space = `cce-burst-${cceId}`;
const image = 'swr.cn-north-4.myhuaweicloud.com/team/app:1';
const size = { cpu: '500m', memory: '1Gi' };
const containers = [{ name: 'main', image, resources: { requests: size, limits: size } }];

let local: LocalRegion;
let region: CciConnection;
let cluster: Cluster;
let client: KubeClient;
let testbed: Testbed;
let addOn: AddOnStandIn;

/** Its kubelet: starts an instance for each pod of its node, and ends it with the pod, apart from one that it forgets. */
class AddOnStandIn {
  forgets = '';
  #stopped = false;
  readonly #running: Promise<void>;

  constructor() {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    let beats = 0;
    while (!this.#stopped) {
      if (beats % 20 === 0) await this.#heartbeat();
      beats += 1;
      const { items } = await client.resource(pods).list({ fieldSelector: 'spec.nodeName=bursting-node' });
      await Promise.all(items.map((pod) => this.#work(pod)));
      const paused = Promise.withResolvers<void>();
      setTimeout(paused.resolve, 250);
      await paused.promise;
    }
  }

  async #heartbeat(): Promise<void> {
    const now = new Date().toISOString();
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now }];
    const room = { cpu: '200k', memory: '1600000Gi', pods: '200k' };
    const body = { status: { conditions, capacity: room, allocatable: room } };
    await client
      .resource(nodes)
      .patch({ name: 'bursting-node' }, { type: 'strategic', body }, { subresource: 'status' });
  }

  async #work(pod: Pod): Promise<void> {
    const ref = refOf(pod);
    const there = { namespace: space, name: `${ref.namespace}-${ref.name}` };
    if (isDeleting(pod)) {
      if (ref.name !== this.forgets)
        await region.client
          .resource(pods)
          .delete(there, { gracePeriodSeconds: 0 })
          .catch(() => {});
      await client
        .resource(pods)
        .delete(ref, { gracePeriodSeconds: 0 })
        .catch(() => {});
      return;
    }
    if (isReady(pod)) return;
    const annotations = {
      'virtual-kubelet-namespace': ref.namespace ?? '',
      'virtual-kubelet-podname': ref.name,
      'virtual-kubelet-clustername': cceId,
    };
    try {
      await region.client.resource(pods).create({ metadata: { ...there, annotations }, spec: { containers } });
    } catch (error) {
      // The network is not ready yet, or it has been started already.
      if (!isConflict(error)) return;
    }
    const conditions = [{ type: 'Ready', status: 'True' }];
    const body = { status: { phase: 'Running', conditions } };
    await client
      .resource(pods)
      .patch(ref, { type: 'strategic', body }, { subresource: 'status' })
      .catch(() => {});
  }
}

async function deploy(
  name: string,
  replicas: number,
  own: Record<string, string>,
  template: Record<string, string>,
): Promise<void> {
  const labels = { app: name };
  await client.resource(deployments).create({
    metadata: { namespace: 'default', name, labels: own },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels: { ...labels, ...template } },
        spec: { containers, terminationGracePeriodSeconds: 1 },
      },
    },
  });
}

beforeAll(async () => {
  cluster = await borrowCluster();
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  local = await LocalRegion.start({
    accounts: [accountWithKeys(3)],
    host: cluster.hostAddress,
    simulated: { startDelayMs: 50, stopDelayMs: 50 },
  });
  region = await local.connection(local.key(1));
  const { labels: _none, ...metadata } = makeNamespace(dialects.v1, space, cceId).metadata ?? {};
  await region.client.resource(cciHome(dialects.v1).namespaces).create({ metadata });
  const network = makeNetwork(dialects.v1, space, await cciPool(local.region, local.dir));
  const { apiVersion, kind } = dialects.v1.network;
  await region.client.resource({ apiVersion, kind, plural: 'networks', namespaced: true }).create(network);
  await client.resource(nodes).create(addOnNode);
  addOn = new AddOnStandIn();
  // Before there is Spillway: as the guide of the add-on writes it, with the label in the template, and without an owner.
  await deploy('guide', 3, { [label]: 'enforce' }, {});
  await deploy('web', 4, {}, { [label]: 'enforce' });
  await client.resource(pods).create({ metadata: { namespace: 'default', name: 'alone' }, spec: { containers } });
  await eventually(
    'the add-on to run them',
    async () => (await there()).length === 8 && (await onNode('bursting-node')).every(isReady),
  );
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: local.region } });
});

afterAll(async () => {
  await addOn?.stop();
  await testbed?.stop('SIGKILL');
  await Promise.all([client?.close(), local?.[Symbol.asyncDispose]()]);
  await cluster?.close();
});

const onNode = async (name: string): Promise<Pod[]> =>
  (await client.resource(pods).list({ fieldSelector: `spec.nodeName=${name}` })).items;
const there = async (): Promise<string[]> =>
  (await region.client.resource(pods).list({ namespace: space })).items.map(nameOf).toSorted();

async function migrate(
  ...args: readonly string[]
): Promise<Pick<Answer, 'code' | 'told'> & { readonly report: AddOnReport | undefined }> {
  const words = [
    'migrate-addon',
    '--config',
    testbed.configFile,
    '--kubeconfig',
    cluster.kubeconfig,
    '-o',
    'json',
    ...args,
  ];
  const { code, out, told } = await runSpillway(cluster.kubeconfig, words);
  return { code, told, report: out === '' ? undefined : parseJson<AddOnReport>(out) };
}

const fates = (report: AddOnReport | undefined): unknown[] =>
  (report?.workloads ?? []).map((move) => [move.name, 'result' in move ? move.result : move.fate, move.pods.length]);

/** A busy machine may keep it from answering for a while; then nothing is moved. */
const takesPods = async (): Promise<void> => {
  await eventually(
    'Spillway’s node to take pods',
    async () => openNodes([await client.resource(nodes).get({ name: testbed.nodeName })]).length === 1,
  );
};

test('tells what the add-on has here and in CCI, and that is all while nobody asks for more', async () => {
  const refused = await migrate('--adopt', '--yes');
  expect([refused.code, refused.told]).toEqual([3, expect.stringContaining('there is no virtual node of Spillway')]);
  await testbed.start();
  const { code, report, told } = await migrate();
  expect(code, told).toBe(0);
  expect(fates(report)).toEqual([
    ['guide', 'rolledOut', 3],
    ['web', 'evicted', 4],
    ['alone', 'stays', 1],
  ]);
  expect(report?.places).toEqual([
    expect.objectContaining({ namespace: space, clusterId: cceId, ofThisCluster: 'yes', running: 8, withoutPod: [] }),
  ]);
  expect((await client.resource(nodes).get({ name: 'bursting-node' })).spec?.unschedulable).toBeUndefined();
  expect(await onNode('bursting-node')).toHaveLength(8);
});

test('pods that may not go are not taken away, and another run goes on where that one ended', async () => {
  const budget = { namespace: 'default', name: 'web' };
  await client.resource(podDisruptionBudgets).create({
    metadata: budget,
    spec: { minAvailable: 4, selector: { matchLabels: { app: 'web' } } },
  });
  await eventually('the budget to be known', async () => {
    const { status } = await client.resource(podDisruptionBudgets).get(budget);
    return status?.expectedPods === 4 && status.disruptionsAllowed === 0;
  });
  await takesPods();
  const { code, report, told } = await migrate('--adopt', '--yes', '--timeout', '20');
  expect(code, told).toBe(3);
  expect(fates(report), told).toEqual([
    ['guide', 'moved', 3],
    ['web', 'stuck', 4],
    ['alone', 'left', 1],
  ]);
  expect(report?.workloads.find(({ name }) => name === 'web')?.why).toContain('disruption budget');
  const left = (await onNode('bursting-node')).map(({ metadata }) => metadata?.labels?.app ?? metadata?.name ?? '');
  expect(left.toSorted()).toEqual(['alone', 'web', 'web', 'web', 'web']);
  await client.resource(podDisruptionBudgets).delete(budget);
});

test('all that have an owner end up on Spillway; what the add-on has forgotten in CCI is told', async () => {
  const [forgotten] = (await onNode('bursting-node')).map(nameOf).filter((name) => name.startsWith('web-'));
  addOn.forgets = forgotten ?? '';
  await takesPods();
  const { code, report, told } = await migrate('--adopt', '--yes');
  expect(fates(report), told).toEqual([
    ['web', 'moved', 4],
    ['alone', 'left', 1],
  ]);
  // `alone` has no owner, and an instance is left.
  expect(code).toBe(3);
  expect(report?.places).toEqual([
    expect.objectContaining({ namespace: space, running: 2, withoutPod: [`default/${forgotten}`] }),
  ]);
  expect((await onNode('bursting-node')).map(nameOf)).toEqual(['alone']);
  const moved = await onNode(testbed.nodeName);
  expect(moved.filter(isReady)).toHaveLength(7);
  expect(moved.every(({ metadata }) => metadata?.labels?.[label] === 'enforce')).toBe(true);
  const again = await migrate('--adopt', '--yes');
  expect(fates(again.report)).toEqual([['alone', 'left', 1]]);
});
