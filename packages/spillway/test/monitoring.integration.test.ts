import type { Deployment, HorizontalPodAutoscaler, NodeCondition, Node as KubeNode } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { burstNamespace } from '../testkit/burst-namespace.ts';
import { eventually, eventuallyWith } from '../testkit/eventually.ts';
import { Kubectl } from '../testkit/kubectl.ts';
import type { Product } from '../testkit/product.ts';
import { onVirtualNode, shellPod, startProduct, waitReady, waitRollout } from '../testkit/product.ts';

/** Figures travel through two metrics-servers, each of which takes two scrapes, 15 s apart. */
const patiently = eventuallyWith({ patienceMs: 300_000 });

/** Works while there is a file /load, as much as it may. */
const worker = 'while :; do if [ -f /load ]; then :; else sleep 1; fi; done';
const quarter = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '250m', memory: '128Mi' } };
const containerOf = (script: string, name = 'main'): object => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', script],
  resources: quarter,
});

let product: Product;
let kubectl: Kubectl;
let namespace: string;

beforeAll(async () => {
  product = await startProduct('monitoring');
  ({ kubectl, namespace } = product);
});
afterAll(async () => product?.[Symbol.asyncDispose]());

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
  const node = await kubectl.get<KubeNode>(['node', product.testbed.nodeName]);
  return node.status?.conditions?.find((each) => each.type === type) ?? {};
}

const scraped = (path: string): Promise<string> =>
  kubectl.run(['get', '--raw', `/api/v1/nodes/${product.testbed.nodeName}/proxy/${path}`]);

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

describe('what pods on the virtual node use', () => {
  beforeAll(async () => {
    const spec = { containers: [containerOf(`touch /load; ${worker}`), containerOf('exec sleep 10000', 'sidecar')] };
    const pod = shellPod('busy', '', spec as ReturnType<typeof shellPod>['spec']);
    await kubectl.apply({ ...pod, metadata: { ...pod.metadata, namespace } });
    await waitReady(kubectl, namespace, 'busy');
  });
  afterAll(() => kubectl.run(['delete', 'pod', 'busy', '-n', namespace, '--now']));

  test('is what their cgroups say, in kubectl top, container by container', async () => {
    let before = await ofCgroup();
    await patiently('kubectl top to say what the cgroup says', async () => {
      const rows = await topOfPods();
      const now = await ofCgroup();
      // Over as long as the figures are old and averaged.
      if (now.at - before.at < 60_000) return false;
      const cores = (now.cpuSeconds - before.cpuSeconds) / ((now.at - before.at) / 1000);
      const { workingSet } = now;
      before = now;
      const main = rows.get('busy/main');
      const sidecar = rows.get('busy/sidecar');
      if (main === undefined || sidecar === undefined) return false;
      // Whole mebibytes are shown.
      const memoryIsRight = Math.abs(main.bytes - workingSet) <= Math.max(workingSet * 0.1, 2 ** 20);
      return isWithin(0.1, main.cores, cores) && memoryIsRight && sidecar.cores < 0.05;
    });
  });

  test('are on the node together, next to real nodes', async () => {
    await patiently('kubectl top to show the node as its pods', async () => {
      const [nodes, pods] = await Promise.all([top('node'), topOfPods()]);
      const node = nodes.get(product.testbed.nodeName);
      const sum = [...pods.values()].reduce((all, { cores }) => all + cores, 0);
      return nodes.size > 1 && node !== undefined && sum > 0 && isWithin(0.1, node.cores, sum);
    });
    expect(await condition('MetricsAvailable')).toMatchObject({ status: 'True', reason: 'BackendMeasures' });
  });

  test('is in the paths of a kubelet that Prometheus scrapes', async () => {
    const labels = `namespace="${namespace}",pod="busy",cpu="total"`;
    expect(await scraped('metrics/cadvisor')).toMatch(
      new RegExp(
        `^container_cpu_usage_seconds_total\\{container="main",id="[^"]+",image="[^"]+",name="[^"]+",${labels}\\} `,
        'm',
      ),
    );
    expect(JSON.parse(await scraped('stats/summary'))).toMatchObject({
      node: { nodeName: product.testbed.nodeName, cpu: { usageNanoCores: expect.any(Number) } },
      pods: expect.arrayContaining([
        expect.objectContaining({ podRef: expect.objectContaining({ name: 'busy', namespace }) }),
      ]),
    });
    expect(await scraped('metrics/probes')).toBe('');
  });

  test('is missing, and not zero, while the other cluster does not tell it, and the node says why', async () => {
    const there = new Kubectl(product.there);
    const rules = await there.run(['get', 'role', 'spillway', '-n', burstNamespace, '-o', 'jsonpath={.rules}']);
    const setRules = (list: readonly object[]): Promise<string> =>
      there.run([
        'patch',
        'role',
        'spillway',
        '-n',
        burstNamespace,
        '--type=merge',
        '-p',
        JSON.stringify({ rules: list }),
      ]);
    const all = JSON.parse(rules) as { apiGroups: string[] }[];
    await setRules(all.filter(({ apiGroups }) => !apiGroups.includes('metrics.k8s.io')));
    try {
      await patiently('the node to say that its pods are not measured', async () => {
        await scraped('metrics/resource');
        const { status, reason } = await condition('MetricsAvailable');
        return status === 'False' && reason === 'MetricsForbidden';
      });
      const text = await scraped('metrics/resource');
      expect(text).toContain('\nresource_scrape_error 1\n');
      expect(text).not.toMatch(/_cpu_usage_seconds_total|_memory_working_set_bytes/);
      await patiently('kubectl top to leave the pod out', async () => !(await topOfPods()).has('busy/main'));
      // Nothing else is the matter.
      expect(await condition('Ready')).toMatchObject({ status: 'True' });
      expect(await condition('BackendReachable')).toMatchObject({ status: 'True' });
    } finally {
      await setRules(all);
    }
    await patiently('kubectl top to show the pod again', async () => (await topOfPods()).has('busy/main'));
    expect(await condition('MetricsAvailable')).toMatchObject({ status: 'True' });
  });
});

test('an autoscaler adds pods under load, and takes them away after it', async () => {
  const name = 'scaled';
  const labels = { app: name };
  const metadata = { name, namespace };
  const deployment: object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { ...onVirtualNode, terminationGracePeriodSeconds: 1, containers: [containerOf(worker)] },
      },
    },
  };
  const autoscaler: HorizontalPodAutoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    },
  };
  await kubectl.apply(deployment, autoscaler);
  await waitRollout(kubectl, namespace, name);
  const ready = async (): Promise<number> =>
    (await kubectl.get<Deployment>(['deployment', name, '-n', namespace])).status?.readyReplicas ?? 0;
  const pods = async (): Promise<string[]> =>
    (await kubectl.run(['get', 'pods', '-n', namespace, '-l', `app=${name}`, '-o', 'name'])).trim().split('\n');
  const inEach = async (...command: readonly string[]): Promise<void> => {
    for (const pod of await pods()) await kubectl.run(['exec', '-n', namespace, pod, '--', ...command]);
  };
  await inEach('touch', '/load');
  await patiently('the autoscaler to follow the load', async () => (await ready()) === 3);
  await inEach('rm', '-f', '/load');
  await patiently(
    'the autoscaler to follow the rest',
    async () => (await pods()).length === 1 && (await ready()) === 1,
  );
  await kubectl.run(['delete', 'hpa,deployment', name, '-n', namespace, '--wait']);
  await eventually('its pods to go', async () => (await pods()).join('') === '');
});
