import { gunzipSync } from 'node:zlib';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { figuresAfter, noFigures, type NodeFigures } from '../../usage/figures.ts';
import { runningPod } from '../testing/fakes.ts';
import { TestKubelet } from '../testing/kubelet.ts';

const startedAtMs = Date.parse('2026-01-01T00:00:00Z');
const atMs = startedAtMs + 60_000;

/** Of pods with one container, as measured a minute after their start. */
function figuresOf(names: readonly string[], usage: { cores?: number; memoryBytes?: number }): NodeFigures {
  return figuresAfter(
    noFigures,
    names.map((name) => ({ uid: `uid-of-${name}`, atMs, windowMs: 20_000, containers: [{ name: 'main', ...usage }] })),
    () => new Map([['main', startedAtMs]]),
  );
}

async function start(): Promise<TestKubelet> {
  const kubelet = await TestKubelet.start();
  kubelet.pods.known.push(runningPod('web', { containerID: 'containerd://c1', image: 'registry/busybox:1' }));
  kubelet.usage.known = figuresOf(['web'], { cores: 0.25, memoryBytes: 1024 });
  return kubelet;
}

const series = (body: string): string[] => body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('what pods use', () => {
  test('is told as metrics-server reads it', async () => {
    const kubelet = await start();
    const { headers, body } = await kubelet.admin('/metrics/resource');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(series(body)).toEqual([
      `container_cpu_usage_seconds_total{container="main",pod="web",namespace="default"} 5 ${atMs}`,
      `container_memory_working_set_bytes{container="main",pod="web",namespace="default"} 1024 ${atMs}`,
      `container_start_time_seconds{container="main",pod="web",namespace="default"} ${startedAtMs / 1000}`,
      `node_cpu_usage_seconds_total 5 ${atMs}`,
      `node_memory_working_set_bytes 1024 ${atMs}`,
      `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 5 ${atMs}`,
      `pod_memory_working_set_bytes{namespace="default",pod="web"} 1024 ${atMs}`,
      'resource_scrape_error 0',
    ]);
  });

  test('is told with the labels that rules of kube-prometheus-stack look for', async () => {
    const kubelet = await start();
    const { body } = await kubelet.admin('/metrics/cadvisor');
    const pod = 'namespace="default",pod="web"';
    const container = `container="main",id="/kubepods/poduid-of-web/c1",image="registry/busybox:1",name="c1",${pod}`;
    const wholePod = `container="",id="/kubepods/poduid-of-web",image="",name="",${pod}`;
    const node = 'container="",id="/",image="",name="",namespace="",pod=""';
    expect(series(body)).toEqual([
      ...[node, wholePod, container].map((each) => `container_cpu_usage_seconds_total{${each},cpu="total"} 5 ${atMs}`),
      ...[node, wholePod, container].map((each) => `container_memory_working_set_bytes{${each}} 1024 ${atMs}`),
      'container_scrape_error 0',
      `container_start_time_seconds{${container}} ${startedAtMs / 1000}`,
    ]);
  });

  test('is a summary of the node and its pods', async () => {
    const kubelet = await start();
    const { headers, body } = await kubelet.admin('/stats/summary?only_cpu_and_memory=true');
    expect(headers['content-type']).toBe('application/json');
    const time = '2026-01-01T00:01:00.000Z';
    const usage = {
      cpu: { time, usageNanoCores: 250_000_000, usageCoreNanoSeconds: 5_000_000_000 },
      memory: { time, workingSetBytes: 1024 },
    };
    expect(JSON.parse(body)).toEqual({
      node: { nodeName: 'virtual', startTime: '2026-01-01T00:00:00.000Z', ...usage },
      pods: [
        {
          podRef: { name: 'web', namespace: 'default', uid: 'uid-of-web' },
          startTime: '2026-01-01T00:00:00Z',
          containers: [{ name: 'main', startTime: '2026-01-01T00:00:00.000Z', ...usage }],
          ...usage,
        },
      ],
    });
  });

  test('is missing, and not zero, when it is not known', async () => {
    const kubelet = await start();
    kubelet.usage.known = undefined;
    const start0 = `container_start_time_seconds{container="main",pod="web",namespace="default"} ${startedAtMs / 1000}`;
    expect(series((await kubelet.admin('/metrics/resource')).body)).toEqual([start0, 'resource_scrape_error 1']);
    expect(series((await kubelet.admin('/metrics/cadvisor')).body)).toEqual([
      'container_scrape_error 1',
      expect.stringContaining('container_start_time_seconds'),
    ]);
    const summary: unknown = JSON.parse((await kubelet.admin('/stats/summary')).body);
    expect(summary).toMatchObject({ node: { nodeName: 'virtual' }, pods: [{ containers: [{ name: 'main' }] }] });
    expect(JSON.stringify(summary)).not.toMatch(/cpu|memory/);
    kubelet.usage.known = figuresOf(['web'], { memoryBytes: 1024 });
    expect((await kubelet.admin('/metrics/resource')).body).not.toContain('cpu');
  });

  test('is not told of containers that do not run, or have been started again since', async () => {
    const kubelet = await start();
    kubelet.pods.known.splice(0, 1, runningPod('web', { state: { terminated: { exitCode: 0 } } }));
    expect((await kubelet.admin('/metrics/resource')).body).not.toContain('pod=');
    expect(JSON.parse((await kubelet.admin('/stats/summary')).body)).toMatchObject({ pods: [] });
    kubelet.pods.known.splice(0, 1, runningPod('web', { state: { running: { startedAt: '2026-01-01T00:05:00Z' } } }));
    expect(series((await kubelet.admin('/metrics/resource')).body)).not.toContainEqual(
      expect.stringMatching(/^container_(cpu|memory)/),
    );
  });

  test('of probes there is nothing, which is no failure of a scrape', async () => {
    const kubelet = await start();
    expect(await kubelet.admin('/metrics/probes')).toMatchObject({ status: 200, body: '' });
  });

  test('takes the rights that it takes on a kubelet', async () => {
    const kubelet = await start();
    kubelet.reviews.tokens.set('scraper', { name: 'scraper', groups: [] });
    kubelet.reviews.allowed.add('scraper get metrics');
    const paths = ['/metrics/resource', '/metrics/cadvisor', '/metrics/probes', '/stats/summary'];
    const statuses = async (token?: string): Promise<number[]> => {
      const answers = paths.map(async (path) => (await kubelet.request(path, { ...(token && { token }) })).status);
      return await Promise.all(answers);
    };
    expect(await statuses('scraper')).toEqual([200, 200, 200, 403]);
    kubelet.reviews.allowed.delete('scraper get metrics');
    kubelet.reviews.allowed.add('scraper get stats');
    const another = { name: 'another', groups: [] };
    kubelet.reviews.tokens.set('another', another);
    kubelet.reviews.allowed.add('another get stats');
    expect(await statuses('another')).toEqual([403, 403, 403, 200]);
    expect(await statuses()).toEqual([401, 401, 401, 401]);
  });

  test.each([
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['identity', false],
    ['gzip;q=0', false],
  ])('is compressed for who asks for it: %s', async (accepted, compressed) => {
    const kubelet = await start();
    const headers = { 'accept-encoding': accepted };
    const response = await kubelet.open('/metrics/resource', { token: 'admin-token', headers });
    const body = await buffer(response);
    expect(response.headers['content-encoding']).toBe(compressed ? 'gzip' : undefined);
    expect(String(compressed ? gunzipSync(body) : body)).toContain('pod="web"');
  });

  test('of ten thousand pods comes in pieces, and others are answered meanwhile', async () => {
    const kubelet = await TestKubelet.start();
    const names = Array.from({ length: 10_000 }, (_, index) => `pod-${index}`);
    kubelet.pods.known.push(...names.map((name) => runningPod(name)));
    kubelet.usage.known = figuresOf(names, { cores: 0.1, memoryBytes: 1 });
    const slow = await kubelet.open('/metrics/resource', { token: 'admin-token' });
    expect(await kubelet.admin('/healthz')).toMatchObject({ status: 200 });
    const body = String(await buffer(slow));
    expect(series(body).filter((line) => line.startsWith('container_cpu'))).toHaveLength(10_000);
    const summary: { pods?: unknown[] } = JSON.parse((await kubelet.admin('/stats/summary')).body);
    expect(summary.pods).toHaveLength(10_000);
  });

  test('has names and images in it that are nobody’s syntax', async () => {
    const kubelet = await start();
    kubelet.pods.known.splice(0, 1, runningPod('web', { containerID: 'x://c', image: 'a"b\\c\nd' }));
    expect((await kubelet.admin('/metrics/cadvisor')).body).toContain(String.raw`image="a\"b\\c\nd"`);
  });
});
