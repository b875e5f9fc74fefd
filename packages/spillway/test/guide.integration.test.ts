// Who bursts, with the real scheduler, a real node of 2 CPUs and real containers: the manifest of the CCE guide as it is,
// with each value of the label, on each kind of workload.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Node, Pod, PodSpec } from '@spillway/kube';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isReady, type Product, startProduct, waitRollout } from '../testkit/product.ts';
import { eventually } from '../testkit/eventually.ts';

const manifest = await readFile(path.join(import.meta.dirname, '../demo/test-vk.yaml'), 'utf8');
const label = 'virtual-kubelet.io/burst-to-cci';
/** Of the manifest. */
const replicas = 20;
/** Many more than the real node has room for. */
const some = 8;

let product: Product;
let namespace: string;

beforeAll(async () => {
  product = await startProduct('guide');
  ({ namespace } = product);
});
afterAll(async () => product?.[Symbol.asyncDispose]());

// The room on the real node is for one test at a time.
afterEach(async () => {
  const { kubectl } = product;
  // A shell that sleeps does not hear SIGTERM; with their workloads the pods would have their whole grace.
  const kinds = 'deployments,replicasets,statefulsets,cronjobs,jobs';
  await kubectl.run(['delete', kinds, '--all', '-n', namespace, '--cascade=orphan', '--timeout=60s']);
  await kubectl.run(['delete', 'pods', '--all', '-n', namespace, '--grace-period=1', '--wait=false']);
  await kubectl.run(['wait', '--for=delete', 'pods', '--all', '-n', namespace, '--timeout=240s']);
});

const pods = (of = namespace): Promise<Pod[]> => product.kubectl.list<Pod>(['pods', '-n', of]);
const onVirtual = (list: readonly Pod[]): Pod[] =>
  list.filter(({ spec }) => spec?.nodeName === product.testbed.nodeName);
const onReal = (list: readonly Pod[]): Pod[] =>
  list.filter(({ spec }) => spec?.nodeName !== undefined && spec.nodeName !== product.testbed.nodeName);
const waiting = (list: readonly Pod[]): Pod[] => list.filter(({ spec }) => spec?.nodeName === undefined);

/** Pods of half a CPU that the real node has room for now. */
async function roomForHalves(): Promise<number> {
  const nodes = await product.kubectl.list<Node>(['nodes']);
  const real = nodes.find(({ metadata }) => metadata?.name !== product.testbed.nodeName);
  const others = (await product.kubectl.list<Pod>(['pods', '-A'])).filter(
    ({ spec, status }) =>
      spec?.nodeName === real?.metadata?.name && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
  );
  const used = others.reduce((sum, pod) => sum + requestedMilliCpu(pod), 0);
  return Math.floor((milli(real?.status?.allocatable?.['cpu']) - used) / 500);
}

const requestedMilliCpu = ({ spec }: Pod): number =>
  (spec?.containers ?? []).reduce((sum, { resources }) => sum + milli(resources?.requests?.['cpu'] ?? '0'), 0);

function milli(quantity: unknown): number {
  const text = String(quantity);
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
}

/** Waits until `count` pods are where they stay: Ready, or left unschedulable by the scheduler. */
async function settled(count: number, of = namespace): Promise<Pod[]> {
  return eventually(`${count} pods to be Ready or left waiting`, async () => {
    const list = await pods(of);
    const decided = list.filter((pod) => isReady(pod) || isUnschedulable(pod));
    return list.length === count && decided.length === count && list;
  });
}

/** Waits until `count` pods run, and no others are there. */
async function allReady(count: number): Promise<Pod[]> {
  return eventually(`${count} pods to be Ready`, async () => {
    const list = await pods();
    return list.length === count && list.every(isReady) && list;
  });
}

const isUnschedulable = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') ?? false;

async function applyDeployment(
  value: string | undefined,
  { where = 'workload', count = some }: { where?: 'workload' | 'template'; count?: number } = {},
): Promise<void> {
  const deployment = parse(manifest);
  deployment.spec.replicas = count;
  deployment.spec.template.spec.terminationGracePeriodSeconds = 1;
  delete deployment.metadata.labels;
  const labels = value === undefined ? {} : { [label]: value };
  if (where === 'workload') deployment.metadata.labels = labels;
  else Object.assign(deployment.spec.template.metadata.labels, labels);
  deployment.metadata.namespace = namespace;
  await product.kubectl.apply(deployment);
}

describe('the Deployment of the guide, replicas of half a CPU', () => {
  test('20, as it is (auto): all run, on the real node and beyond', async () => {
    const { kubectl } = product;
    await kubectl.run(['apply', '-n', namespace, '-f', '-'], manifest);
    await waitRollout(kubectl, namespace, 'test-vk');
    const list = await pods();
    expect(list.filter((pod) => !isReady(pod))).toEqual([]);
    expect(onReal(list).length + onVirtual(list).length).toBe(replicas);
    expect(onReal(list).length).toBeGreaterThan(0);
    expect(onVirtual(list).length).toBeGreaterThanOrEqual(replicas - 4);
  });

  test.each(['workload', 'template'] as const)(
    'localPrefer on the %s: the real node is full to the last pod that fits before one bursts',
    async (where) => {
      const room = await roomForHalves();
      await applyDeployment('localPrefer', { where });
      // Those for which the scheduler has no room are Unschedulable before they burst.
      const list = await allReady(some);
      expect(onReal(list)).toHaveLength(room);
      expect(onVirtual(list)).toHaveLength(some - room);
    },
  );

  test.each(['workload', 'template'] as const)('enforce on the %s: never on the real node', async (where) => {
    await applyDeployment('enforce', { where });
    const list = onVirtual(await allReady(some));
    expect(list).toHaveLength(some);
    // What bursting takes is in the pod when it is created: nobody changes its spec afterwards.
    expect(new Set(list.map(({ metadata }) => metadata?.generation))).toEqual(new Set([1]));
  });

  test.each([['off'], [undefined]])('%s: what does not fit waits', async (value) => {
    const room = await roomForHalves();
    await applyDeployment(value);
    const list = await settled(some);
    expect(onVirtual(list)).toEqual([]);
    expect(onReal(list)).toHaveLength(room);
    expect(waiting(list)).toHaveLength(some - room);
  });
});

test('auto prefers the real node when it scores best: small pods stay local', async () => {
  const deployment = parse(manifest);
  deployment.metadata.namespace = namespace;
  deployment.spec.replicas = some;
  const [container] = deployment.spec.template.spec.containers;
  container.resources = { requests: { cpu: '50m', memory: '16Mi' } };
  await product.kubectl.apply(deployment);
  expect(onReal(await allReady(some))).toHaveLength(some);
});

test.each([['off'], [undefined]])(
  'a pod with the label %s that tolerates everything never bursts, also in kube-system',
  async (value) => {
    const tolerations = [{ operator: 'Exists' }];
    const labels = value === undefined ? {} : { [label]: value };
    const names = [0, 1, 2, 3, 4, 5].map((index) => `tolerant-${index}`);
    const neverBurst = async (of: string): Promise<void> => {
      await product.kubectl.apply(...names.map((name) => halfPod(name, { tolerations }, { labels, namespace: of })));
      const list = await eventually('the pods to be where they stay', async () => {
        const found = (await pods(of)).filter(({ metadata }) => metadata?.name?.startsWith('tolerant-'));
        return found.length === names.length && found.every((pod) => isReady(pod) || isUnschedulable(pod)) && found;
      });
      expect(onVirtual(list)).toEqual([]);
      expect(waiting(list).length).toBeGreaterThan(0);
      await product.kubectl.run(['delete', 'pod', '-n', of, ...names, '--timeout=120s']);
    };
    await Promise.all([neverBurst(namespace), neverBurst('kube-system')]);
  },
);

describe('other workloads', () => {
  const template = { metadata: { labels: { app: 'other' } }, spec: halfPod('x').spec };
  const selector = { matchLabels: { app: 'other' } };
  const metadata = { name: 'other', labels: { [label]: 'enforce' } };

  test.each([
    [
      'StatefulSet',
      { apiVersion: 'apps/v1', spec: { replicas: 2, serviceName: 'other', podManagementPolicy: 'Parallel', selector } },
    ],
    ['Job', { apiVersion: 'batch/v1', spec: { parallelism: 2, completions: 2 } }],
  ])('the pods of a labelled %s burst', async (kind, { apiVersion, spec }) => {
    const restartPolicy = kind === 'Job' ? 'Never' : 'Always';
    const podTemplate = { ...template, spec: { ...template.spec, restartPolicy } };
    await product.kubectl.apply({
      apiVersion,
      kind,
      metadata: { ...metadata, namespace },
      spec: { ...spec, template: podTemplate },
    });
    expect(onVirtual(await allReady(2))).toHaveLength(2);
  });

  test('the pods of a labelled CronJob burst', async () => {
    const { kubectl } = product;
    const jobTemplate = { spec: { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } } };
    const spec = { schedule: '0 0 1 1 *', jobTemplate };
    await kubectl.apply({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { ...metadata, namespace }, spec });
    await kubectl.run(['create', 'job', '--from=cronjob/other', 'now', '-n', namespace]);
    expect(onVirtual(await allReady(1))).toHaveLength(1);
  });

  test('a labelled pod without a workload bursts', async () => {
    await product.kubectl.apply(halfPod('bare', {}, { labels: { [label]: 'enforce' }, namespace }));
    expect(onVirtual(await allReady(1))).toHaveLength(1);
  });
});

test('a label that is changed later holds for new pods', async () => {
  const { kubectl } = product;
  await applyDeployment('enforce', { count: 2 });
  expect(onVirtual(await allReady(2))).toHaveLength(2);
  await kubectl.run(['label', '-n', namespace, 'deployment/test-vk', `${label}=off`, '--overwrite']);
  await waitRollout(kubectl, namespace, 'test-vk');
  const list = await eventually('the old pods to be gone', async () => {
    const found = await pods();
    return found.length === 2 && found;
  });
  expect(onReal(list)).toHaveLength(2);
});

function halfPod(name: string, spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', '10000'],
          resources: { requests: { cpu: '500m', memory: '16Mi' } },
        },
      ],
      ...spec,
    },
  };
}
