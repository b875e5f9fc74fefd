// What pods in a CCI region use, as kubectl top, autoscalers and Prometheus see it.
import { type Region, startRegion } from '@spillway/cci-standin';
import { type Cluster, startCluster } from '@spillway/devcluster';
import type {
  Container,
  Deployment,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  NodeCondition,
  Node as KubeNode,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventuallyWith } from '../../testkit/eventually.ts';
import { Kubectl } from '../../testkit/kubectl.ts';
import { onVirtualNode, shellPod, waitReady, waitRollout } from '../../testkit/product.ts';
import { Testbed } from '../../testkit/testbed.ts';

/** Everything here is measured and averaged over tens of seconds, and has to be steady for as long. */
const eventually = eventuallyWith({ patienceMs: 360_000 });
const namespace = 'measured';
const scaled = 'scaled';
/** Works while there is a file /load, as much as it may. */
const worker = 'while :; do if [ -f /load ]; then :; else sleep 1; fi; done';
/** What is in memory belongs to the working set. */
const fill = 'dd if=/dev/zero of=/dev/shm/32M bs=1M count=32';
const size = { cpu: '250m', memory: '256Mi' };
const containerOf = (script: string, name = 'main'): Container => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  resources: { requests: size, limits: size },
});

let cluster: Cluster;
let region: Region;
let testbed: Testbed;
let kubectl: Kubectl;

/** The metrics API of CCI answers only when the tests want it to. */
beforeAll(async () => {
  cluster = await startCluster({
    node: { services: false, metricsServer: true },
    extraArgs: {
      // The shortest that it takes.
      'metrics-server': ['--metric-resolution=10s', '--kubelet-request-timeout=9s'],
      'kube-controller-manager': ['--horizontal-pod-autoscaler-sync-period=5s'],
    },
  });
  kubectl = new Kubectl(cluster);
  region = await startRegion({ host: cluster.hostAddress, networkStepMs: 50, node: 'containers' });
  await administer('POST', { kind: 'answer', status: 503, path: 'metrics\\.k8s\\.io' });
  testbed = await Testbed.create({ cluster, backend: 'cci', cci: { at: region } });
  await kubectl.run(['create', 'namespace', namespace]);
  await testbed.start();

  const spec = {
    containers: [containerOf(`${fill}; touch /load; ${worker}`), containerOf('exec sleep 10000', 'sidecar')],
  };
  const busy = shellPod('busy', '', spec);
  await kubectl.apply({ ...busy, metadata: { ...busy.metadata, namespace } }, deployment, autoscaler);
  await waitReady(kubectl, namespace, 'busy');
  await waitRollout(kubectl, namespace, scaled);
});
afterAll(async () => {
  await testbed?.stop('SIGKILL');
  await Promise.all([cluster?.close(), region?.close()]);
});

const metadata = { name: scaled, namespace };
const deployment: object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: scaled } },
    template: {
      metadata: { labels: { app: scaled } },
      spec: { ...onVirtualNode, terminationGracePeriodSeconds: 1, containers: [containerOf(worker)] },
    },
  },
};
const autoscaler: HorizontalPodAutoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata,
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: scaled },
    minReplicas: 1,
    maxReplicas: 3,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 20 } } }],
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  },
};

/** As whoever runs the region. */
async function administer(method: 'POST' | 'DELETE', fault?: object): Promise<void> {
  const { endpoint, token } = region.admin;
  const { ok, status } = await fetch(`${endpoint}/faults`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(fault && { body: JSON.stringify(fault) }),
  });
  if (!ok) throw new Error(`the region's administrator was answered ${status}`);
}

interface Top {
  readonly cores: number;
  readonly bytes: number;
}

/** What `kubectl top` shows, by the names in the columns before the figures. */
async function top(...args: readonly string[]): Promise<Map<string, Top>> {
  const { code, stdout, stderr } = await kubectl.try(['top', ...args, '--no-headers']);
  // What kubectl says while there is nothing.
  if (code !== 0 && !/not available|not found|No resources/i.test(stderr)) throw new Error(stderr);
  return new Map(
    Array.from(stdout.matchAll(/^(.+?)\s+(\d+)m\s.*?(\d+)Mi\b/gm), ([, names = '', milli, mebi]) => [
      names.replaceAll(/\s+/g, '/'),
      { cores: Number(milli) / 1000, bytes: Number(mebi) * 2 ** 20 },
    ]),
  );
}

const topOfPods = (): Promise<Map<string, Top>> => top('pod', '-n', namespace, '--containers');

async function condition(type: string): Promise<Partial<NodeCondition>> {
  const node = await kubectl.get<KubeNode>(['node', testbed.nodeName]);
  return node.status?.conditions?.find((each) => each.type === type) ?? {};
}

const scraped = (path: string): Promise<string> =>
  kubectl.run(['get', '--raw', `/api/v1/nodes/${testbed.nodeName}/proxy/${path}`]);

async function autoscalerSays(type: string): Promise<Partial<HorizontalPodAutoscalerCondition>> {
  const { status } = await kubectl.get<HorizontalPodAutoscaler>(['hpa', scaled, '-n', namespace]);
  return status?.conditions?.find((each) => each.type === type) ?? {};
}

const ready = async (): Promise<number> =>
  (await kubectl.get<Deployment>(['deployment', scaled, '-n', namespace])).status?.readyReplicas ?? 0;

async function podsOfDeployment(): Promise<string[]> {
  const names = await kubectl.run(['get', 'pods', '-n', namespace, '-l', `app=${scaled}`, '-o', 'name']);
  return names.trim().split('\n');
}

async function inEach(...command: readonly string[]): Promise<void> {
  for (const pod of await podsOfDeployment()) await kubectl.run(['exec', '-n', namespace, pod, '--', ...command]);
}

const isWithin = (part: number, actual: number, expected: number): boolean =>
  Math.abs(actual - expected) <= expected * part;

/** Of the pod `busy`, container `main`: from the files of version 2 of cgroups, or of version 1. */
async function ofCgroup(): Promise<{ readonly at: number; readonly cpuSeconds: number; readonly workingSet: number }> {
  const files = ['cpu.stat', 'cpuacct/cpuacct.usage', 'memory.current', 'memory/memory.usage_in_bytes'];
  const script = `cd /sys/fs/cgroup; cat ${files.join(' ')} memory.stat memory/memory.stat 2>/dev/null; true`;
  const said = await kubectl.run(['exec', '-n', namespace, 'busy', '-c', 'main', '--', 'sh', '-c', script]);
  const [, micro] = /^usage_usec (\d+)$/m.exec(said) ?? [];
  const [nano, bytes = nano] = Array.from(said.matchAll(/^(\d+)$/gm), ([number]) => Number(number));
  const [, inactive] = /^total_inactive_file (\d+)$/m.exec(said) ?? /^inactive_file (\d+)$/m.exec(said) ?? [];
  return {
    at: Date.now(),
    cpuSeconds: micro === undefined ? Number(nano) / 1e9 : Number(micro) / 1e6,
    workingSet: Number(bytes) - Number(inactive),
  };
}

describe('while CCI does not say what pods use', () => {
  test('it is missing, and not zero, and the node says so', async () => {
    await eventually('the node to say that its pods are not measured', async () => {
      const { status, reason } = await condition('MetricsAvailable');
      return status === 'False' && reason === 'MetricsUnavailable';
    });
    const text = await scraped('metrics/resource');
    expect(text).toContain('\nresource_scrape_error 1\n');
    expect(text).not.toMatch(/_cpu_usage_seconds_total|_memory_working_set_bytes/);
    expect([...(await topOfPods()).keys()]).toEqual([]);
    // Nothing else is the matter.
    expect(await condition('Ready')).toMatchObject({ status: 'True' });
    expect(await condition('BackendReachable')).toMatchObject({ status: 'True' });
  });

  test('an autoscaler knows nothing, and leaves the pods alone', async () => {
    await inEach('touch', '/load');
    await eventually('the autoscaler to say that it has no figures', async () => {
      const { status, reason } = await autoscalerSays('ScalingActive');
      return status === 'False' && reason === 'FailedGetResourceMetric';
    });
    expect(await ready()).toBe(1);
  });
});

describe('what pods use', () => {
  beforeAll(() => administer('DELETE'));

  test.concurrent('is what their cgroups say, in kubectl top, container by container', async () => {
    let before = await ofCgroup();
    await eventually('kubectl top to say what the cgroup says', async () => {
      const rows = await topOfPods();
      const now = await ofCgroup();
      // Over as long as the figures are old and averaged.
      if (now.at - before.at < 30_000) return false;
      const cores = (now.cpuSeconds - before.cpuSeconds) / ((now.at - before.at) / 1000);
      const { workingSet } = now;
      before = now;
      const main = rows.get('busy/main');
      const sidecar = rows.get('busy/sidecar');
      if (main === undefined || sidecar === undefined) return false;
      // On busy cores a container gets now more and now less, and the figures are not of the same seconds.
      return isWithin(0.2, main.cores, cores) && isWithin(0.1, main.bytes, workingSet) && sidecar.cores < 0.05;
    });
  });

  test.concurrent('is on the node together, next to real nodes', async () => {
    await eventually('kubectl top to show the node as its pods', async () => {
      const [nodes, pods] = await Promise.all([top('node'), topOfPods()]);
      const node = nodes.get(testbed.nodeName);
      const sum = [...pods.values()].reduce((all, { cores }) => all + cores, 0);
      return nodes.size > 1 && node !== undefined && sum > 0 && isWithin(0.1, node.cores, sum);
    });
    expect(await condition('MetricsAvailable')).toMatchObject({ status: 'True', reason: 'BackendMeasures' });
  });

  test.concurrent('is in the paths of a kubelet that Prometheus scrapes', async () => {
    const labels = `namespace="${namespace}",pod="busy",cpu="total"`;
    const series = new RegExp(
      `^container_cpu_usage_seconds_total\\{container="main",id="[^"]+",image="[^"]+",name="[^"]+",${labels}\\} `,
      'm',
    );
    await expect.poll(() => scraped('metrics/cadvisor')).toMatch(series);
    expect(JSON.parse(await scraped('stats/summary'))).toMatchObject({
      node: { nodeName: testbed.nodeName, cpu: { usageNanoCores: expect.any(Number) } },
      pods: expect.arrayContaining([
        expect.objectContaining({ podRef: expect.objectContaining({ name: 'busy', namespace }) }),
      ]),
    });
    expect(await scraped('metrics/probes')).toBe('');
  });

  test.concurrent('moves an autoscaler: it adds pods under load, and takes them away after it', async () => {
    await eventually('the autoscaler to follow the load', async () => (await ready()) === 3);
    await inEach('rm', '-f', '/load');
    await eventually(
      'the autoscaler to follow the rest',
      async () => (await podsOfDeployment()).length === 1 && (await ready()) === 1,
    );
  });
});
