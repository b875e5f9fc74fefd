// What Kubernetes does to a node that nobody renews, with its periods shortened to those of clusters that are set up to react
// fast. In the usual set-up they are 50 s and 300 s.
import { type Cluster, startCluster } from '@spillway/devcluster';
import {
  type Lease,
  type Node,
  type NodeCondition,
  type Pod,
  type PodSpec,
  type Toleration,
  uidOf,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../testkit/eventually.ts';
import { Kubectl } from '../../testkit/kubectl.ts';
import { isReady, waitReady } from '../../testkit/product.ts';
import { Testbed } from '../../testkit/testbed.ts';
import { alertsOf, seriesOfNode } from '../observability/testing/firing-alerts.ts';

const graceSeconds = 20;
const toleratedSeconds = 20;
const namespace = 'work';
const outageTaints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

let cluster: Cluster;
let kubectl: Kubectl;
let testbed: Testbed;

beforeAll(async () => {
  // With a node that goes on: where all nodes are away at once, Kubernetes evicts nothing.
  cluster = await startCluster({
    extraArgs: {
      'kube-controller-manager': ['--node-monitor-period=2s', `--node-monitor-grace-period=${graceSeconds}s`],
      'kube-apiserver': [
        `--default-not-ready-toleration-seconds=${toleratedSeconds}`,
        `--default-unreachable-toleration-seconds=${toleratedSeconds}`,
      ],
    },
  });
  kubectl = new Kubectl(cluster);
  testbed = await Testbed.create({
    cluster,
    backend: 'simulated',
    keepInstances: true,
    simulated: { scenario: { faults: [{ on: 'ping', fails: 'unavailable', fromSeconds: 20 }] } },
  });
  await kubectl.run(['create', 'namespace', namespace]);
  await eventually('the default service account', () =>
    kubectl.run(['get', 'serviceaccount', 'default', '-n', namespace]),
  );
  await testbed.start();
});

afterAll(async () => {
  await testbed?.stop('SIGKILL');
  await cluster?.close();
});

const spec = (more: Partial<PodSpec> = {}): PodSpec => ({
  nodeName: testbed.nodeName,
  terminationGracePeriodSeconds: 1,
  containers: [{ name: 'main', image: 'busybox', command: ['sleep', '3600'] }],
  ...more,
});
const pod = (name: string, more: Partial<PodSpec> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: spec(more),
});
const tolerating = (tolerationSeconds: number): Toleration[] =>
  outageTaints.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));

const podsThatStay = async (): Promise<readonly Pod[]> =>
  (await kubectl.list<Pod>(['pods', '-n', namespace])).filter(({ metadata }) => metadata?.name !== 'impatient');
const getNode = (): Promise<Node> => kubectl.get<Node>(['node', testbed.nodeName]);
const getLease = (): Promise<Lease> => kubectl.get<Lease>(['lease', testbed.nodeName, '-n', 'kube-node-lease']);
const conditionOf = (node: Node, type: string): NodeCondition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === type);
const outageTaintsOf = (node: Node): unknown[] =>
  (node.spec?.taints ?? []).filter(({ key }) => outageTaints.includes(key));

/** What is another one when a pod or its instance is another one. */
function identities(pods: readonly Pod[]): unknown[] {
  return pods
    .map(({ metadata, status }) => ({
      name: metadata?.name,
      uid: metadata?.uid,
      podIP: status?.podIP,
      containers: status?.containerStatuses?.map(({ containerID, restartCount, state }) => ({
        containerID,
        restartCount,
        startedAt: state?.running?.startedAt,
      })),
    }))
    .toSorted((a, b) => String(a.name).localeCompare(String(b.name)));
}

const allReady = (count: number): Promise<readonly Pod[]> =>
  eventually(`${count} pods to be Ready`, async () => {
    const pods = await podsThatStay();
    return pods.length === count && pods.every(isReady) && pods;
  });

describe('running pods', () => {
  let before: unknown[];

  beforeAll(async () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: spec() };
    await kubectl.apply(
      pod('bare'),
      // As the author wants it: sooner than an outage may last, later than the default.
      pod('impatient', { tolerations: tolerating(toleratedSeconds + 3) }),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace },
        spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
      },
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'batch', namespace },
        spec: { template: { spec: spec({ restartPolicy: 'Never' }) } },
      },
    );
    before = identities(await allReady(5));
    await waitReady(kubectl, namespace, 'impatient');
  });

  it('keep running, on the same instances, when somebody deletes the node or edits its taints away', async () => {
    const { metadata } = await getNode();
    await kubectl.run(['delete', 'node', testbed.nodeName]);
    const deletedMs = Date.now();
    const node = await eventually('the node to be back', async () => {
      const current = await getNode();
      return uidOf(current) !== metadata?.uid && conditionOf(current, 'Ready')?.status === 'True' && current;
    });
    expect(Date.parse(node.metadata?.creationTimestamp ?? '') - deletedMs).toBeLessThan(10_000);
    await eventually('the lease to be owned by the new node', async () => {
      const { metadata: lease } = await getLease();
      return lease?.ownerReferences?.length === 1 && lease.ownerReferences[0]?.uid === uidOf(node);
    });
    await kubectl.run(['patch', 'node', testbed.nodeName, '--type=merge', '-p', '{"spec":{"taints":[]}}']);
    const keys = ['virtual-kubelet.io/burst-to-cci', 'virtual-kubelet.io/huawei'];
    await eventually('the taints to be back', async () => {
      const { taints = [] } = (await getNode()).spec ?? {};
      return keys.every((key) => taints.some((taint) => taint.key === key));
    });
    expect(identities(await allReady(5))).toEqual(before);
  });

  it('get no limit to how long they tolerate an outage, unless their author has set one', async () => {
    await eventually('the default limits to be gone', async () =>
      (await podsThatStay()).every(({ spec: { tolerations = [] } = {} }) =>
        tolerations.every(({ tolerationSeconds }) => tolerationSeconds === undefined),
      ),
    );
    const impatient = await kubectl.get<Pod>(['pod', 'impatient', '-n', namespace]);
    expect(impatient.spec?.tolerations).toEqual(tolerating(toleratedSeconds + 3));
    const { metadata, status } = await eventually('the status to be of the new generation', async () => {
      const current = await kubectl.get<Pod>(['pod', 'bare', '-n', namespace]);
      return current.status?.observedGeneration === current.metadata?.generation && current;
    });
    expect([metadata?.generation, status?.phase]).toEqual([2, 'Running']);
  });

  it('are on a Ready node all the time while the backend does not answer', async () => {
    const since = (await getNode()).status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
    await eventually('the backend to be away for longer than the node and its pods would be', async () => {
      const unreachable = conditionOf(await getNode(), 'BackendReachable');
      if (unreachable?.status !== 'False') return false;
      const { spec: lease } = await getLease();
      const awayMs = Date.parse(lease?.renewTime ?? '') - Date.parse(unreachable.lastTransitionTime ?? '');
      return awayMs > (graceSeconds + toleratedSeconds) * 1000;
    });
    const node = await getNode();
    expect(conditionOf(node, 'Ready')).toMatchObject({ status: 'True', lastTransitionTime: since });
    expect(await alertsOf(seriesOfNode(node))).toEqual([]);
    expect(outageTaintsOf(node)).toEqual([]);
    expect(node.spec?.taints).toContainEqual(expect.objectContaining({ key: 'bursting.cci.io/no-schedule' }));
    expect(identities(await allReady(5))).toEqual(before);
  });

  it('outlive an outage of Spillway that others do not, and are Ready again afterwards, as is the node', async () => {
    await testbed.stop('SIGKILL');
    await eventually('the eviction of the pod that does not tolerate it for so long', async () => {
      const { metadata } = await kubectl.get<Pod>(['pod', 'impatient', '-n', namespace]);
      return metadata?.deletionTimestamp;
    });
    const node = await getNode();
    expect(outageTaintsOf(node)).not.toEqual([]);
    expect(await alertsOf(seriesOfNode(node))).toEqual(['SpillwayNodeNotReady']);
    const pods = await podsThatStay();
    expect(pods.map(({ metadata }) => metadata?.deletionTimestamp)).toEqual(pods.map(() => undefined));
    expect(pods.filter(isReady)).toEqual([]);
    await testbed.start();
    expect(identities(await allReady(5))).toEqual(before);
    await eventually('the taints of the outage to go', async () => outageTaintsOf(await getNode()).length === 0);
    await eventually('the evicted pod to be gone', async () => {
      const names = (await kubectl.list<Pod>(['pods', '-n', namespace])).map(({ metadata }) => metadata?.name);
      return !names.includes('impatient');
    });
    expect(identities(await allReady(5))).toEqual(before);
  });
});
