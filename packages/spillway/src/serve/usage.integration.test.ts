import type { Cluster } from '@spillway/devcluster';
import { KubeClient, loadKubeconfig, namespaces, pods, serviceAccounts } from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { Testbed } from '../../testkit/testbed.ts';

const podCount = 1000;
const namespace = 'measured';
const load = { cpu: '100m', memory: '64Mi' };

let cluster: Cluster;
let testbed: Testbed;
let client: KubeClient;

beforeAll(async () => {
  cluster = await borrowCluster();
  testbed = await Testbed.create({
    cluster,
    backend: 'simulated',
    maxPods: podCount,
    simulated: { startDelayMs: 0, scenario: { usage: { everySeconds: 5, containers: [load] } } },
  });
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  await client.resource(namespaces).create({ metadata: { name: namespace } });
  await eventually('the default service account', () =>
    client.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
  await testbed.start();
  const spec = {
    nodeName: testbed.nodeName,
    containers: [{ name: 'main', image: 'none', command: ['sleep', '86400'] }],
  };
  await Promise.all(
    Array.from({ length: podCount }, (_, index) =>
      client.resource(pods).create({ metadata: { namespace, name: `pod-${index}` }, spec }),
    ),
  );
  await eventually('all pods to run', async () => {
    const { items } = await client.resource(pods).list({ namespace });
    return items.filter(({ status }) => status?.phase === 'Running').length === podCount;
  });
});

afterAll(async () => {
  await testbed?.stop('SIGKILL');
  await client?.close();
  await cluster?.close();
});

async function scraped(path: string): Promise<string> {
  const raw = `/api/v1/nodes/${testbed.nodeName}/proxy/${path}`;
  const { code, stdout, stderr } = await cluster.kubectl(['get', '--raw', raw]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

/** The value, and the time of the measurement if there is one, of the series that begins so. */
function sample(text: string, series: string): { readonly value: number; readonly atMs: number } {
  const line = text.split('\n').find((each) => each.startsWith(series)) ?? '';
  const [value, atMs] = line
    .slice(line.lastIndexOf('}') + 1 || series.length)
    .trim()
    .split(' ')
    .map(Number);
  return { value: value ?? Number.NaN, atMs: atMs ?? 0 };
}

test('of a thousand pods comes with one question to the backend in an interval, however many scrape, and in less than a second', async () => {
  const names = new Set(Array.from({ length: podCount }, (_, index) => `pod-${index}`));
  const first = await eventually('figures of all pods', async () => {
    const text = await scraped('metrics/resource');
    const found = Array.from(text.matchAll(/^container_cpu_usage_seconds_total\{container="main",pod="([^"]+)"/gm));
    return found.length === podCount && { text, names: new Set(found.map(([, name]) => name)) };
  });
  expect(first.names).toEqual(names);

  const asked = async (): Promise<number> => sample(await scraped('metrics'), 'spillway_usage_requests_total').value;
  const before = { asked: await asked(), atMs: Date.now() };
  let last = first.text;
  let scrapes = 0;
  while (Date.now() - before.atMs < 25_000) {
    const texts = await Promise.all(['metrics/resource', 'metrics/cadvisor', 'stats/summary'].map(scraped));
    last = texts[0] ?? '';
    scrapes += texts.length;
  }
  const questions = (await asked()) - before.asked;
  expect(questions).toBeGreaterThanOrEqual(2);
  expect(questions).toBeLessThanOrEqual(Math.ceil((Date.now() - before.atMs) / 10_000));
  expect(scrapes).toBeGreaterThan(questions * 2);

  const [from, to] = [first.text, last].map((text) => sample(text, 'node_cpu_usage_seconds_total'));
  const rate = ((to?.value ?? 0) - (from?.value ?? 0)) / (((to?.atMs ?? 0) - (from?.atMs ?? 0)) / 1000);
  expect(rate).toBeCloseTo(podCount * 0.1, 0);
  expect(sample(last, 'node_memory_working_set_bytes').value).toBe(podCount * 64 * 2 ** 20);

  // How long all of them take depends on what else the machine does.
  const quick = `spillway_kubelet_request_seconds_bucket{le="1",pool="simulated",route="resourceMetrics"}`;
  expect(sample(await scraped('metrics'), quick).value).toBeGreaterThan(0);
});
