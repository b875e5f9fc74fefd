import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Event, Node, Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventually } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import { isReady, nothingIsLeft, startProduct, waitRollout } from '../testkit/product.ts';
import { residue } from '../testkit/residue.ts';

const manifest = path.join(import.meta.dirname, '../demo/test-vk.yaml');

describe('the Deployment of the guide with localPrefer, 20 replicas on a node with room for a few', () => {
  let product: Product;
  let pods: Pod[];

  beforeAll(async () => {
    product = await startProduct('overflow');
    const { kubectl, namespace } = product;
    const deployment = parse(await readFile(manifest, 'utf8'));
    deployment.metadata.namespace = namespace;
    deployment.metadata.labels['virtual-kubelet.io/burst-to-cci'] = 'localPrefer';
    deployment.spec.template.spec.terminationGracePeriodSeconds = 1;
    await kubectl.apply(deployment);
    await waitRollout(kubectl, namespace, 'test-vk');
    pods = await kubectl.list<Pod>(['pods', '-n', namespace]);
  });

  afterAll(async () => product?.[Symbol.asyncDispose]());

  const virtual = (): Pod[] => pods.filter((pod) => pod.spec?.nodeName === product.testbed.nodeName);
  const local = (): Pod[] => pods.filter((pod) => pod.spec?.nodeName !== product.testbed.nodeName);

  test('fills the real node to the last pod that fits and runs the rest on the virtual node, all Ready', async () => {
    expect(pods).toHaveLength(20);
    expect(pods.filter((pod) => !isReady(pod))).toEqual([]);

    const nodeName = local()[0]?.spec?.nodeName ?? '';
    const node = await product.kubectl.get<Node>(['node', nodeName]);
    const others = (await product.kubectl.list<Pod>(['pods', '-A'])).filter(
      (pod) => pod.spec?.nodeName === nodeName && pod.metadata?.namespace !== product.namespace,
    );
    const free = milliCpu(node.status?.allocatable?.cpu) - others.reduce((sum, pod) => sum + requestedCpu(pod), 0);
    expect(local()).toHaveLength(Math.floor(free / 500));
    expect(virtual()).toHaveLength(20 - local().length);
  });

  test('gives every pod a process of its own and its own address', async () => {
    const addresses = new Set(pods.map((pod) => pod.status?.podIP));
    expect(addresses.size).toBe(20);
    const [pod] = virtual();
    const { kubectl, namespace } = product;
    const hostname = await kubectl.run(['exec', '-n', namespace, pod?.metadata?.name ?? '', '--', 'hostname']);
    expect(hostname.trim()).toBe(pod?.metadata?.name);
  });

  test('is reachable from a pod of the real node by pod address', async () => {
    const { kubectl, namespace } = product;
    const onReal = local()[0]?.metadata?.name ?? '';
    for (const pod of virtual().slice(0, 3)) {
      await kubectl.run(['exec', '-n', namespace, onReal, '--', 'ping', '-c', '1', '-W', '5', pod.status?.podIP ?? '']);
    }
  });

  test('shows capacity, use and conditions in kubectl describe node', async () => {
    const text = await product.kubectl.run(['describe', 'node', product.testbed.nodeName]);
    expect(text).toMatch(/Capacity:\s+cpu:\s+64\s/);
    expect(text).toMatch(/Allocatable:\s+cpu:\s+64\s/);
    expect(text).toMatch(/Ready\s+True/);
    expect(text).toMatch(/BackendReachable\s+True/);
    expect(text).toMatch(/MemoryPressure\s+False/);
    expect(text).toMatch(new RegExp(`Non-terminated Pods:\\s+\\(${virtual().length} in total\\)`));
    expect(text).toMatch(
      new RegExp(`cpu\\s+${virtual().length % 2 ? `${virtual().length * 500}m` : virtual().length / 2}\\s`),
    );
    expect(text).toContain('virtual-kubelet.io/burst-to-cci=cci:NoSchedule');
  });

  test("tells what happened in events with the kubelet's reasons", async () => {
    const [pod] = virtual();
    await eventually('the events of a pod', async () => {
      const events = await product.kubectl.list<Event>([
        'events',
        '-n',
        product.namespace,
        `--field-selector=involvedObject.uid=${pod?.metadata?.uid}`,
      ]);
      const seen = new Set(events.map(({ reason }) => reason ?? ''));
      return ['Scheduled', 'Pulled', 'Created', 'Started'].every((reason) => seen.has(reason));
    });
  });

  test('scaled to zero leaves nothing behind', async () => {
    const { kubectl, namespace, there } = product;
    expect((await residue(there)).runningTasks).toHaveLength(virtual().length);
    await kubectl.run(['scale', '-n', namespace, 'deployment/test-vk', '--replicas=0']);
    await eventually('all pods to be gone', async () => {
      const left = await kubectl.list<Pod>(['pods', '-n', namespace]);
      return left.length === 0;
    });
    await nothingIsLeft(there);
  });
});

function milliCpu(quantity: string | undefined): number {
  const text = quantity ?? '0';
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
}

function requestedCpu(pod: Pod): number {
  return (pod.spec?.containers ?? []).reduce(
    (sum, container) => sum + milliCpu(container.resources?.requests?.cpu?.toString()),
    0,
  );
}
