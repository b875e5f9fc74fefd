import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Deployment, Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Finding } from '../src/diagnosis/doctor/view.ts';
import type { Plan } from '../src/diagnosis/plan/plan.ts';
import type { Why } from '../src/diagnosis/why.ts';
import { eventually } from '../testkit/eventually.ts';
import { type Product, shellPod, startProduct, waitReady } from '../testkit/product.ts';

const main = ['--conditions=spillway-source', path.join(import.meta.dirname, '../src/cli/main.ts')];
const label = 'virtual-kubelet.io/burst-to-cci';

let product: Product;
let namespace: string;

beforeAll(async () => {
  product = await startProduct('diagnosis');
  ({ namespace } = product);
});
afterAll(async () => product?.[Symbol.asyncDispose]());

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** As a user asks, with the administrator's kubeconfig. */
async function spillway(...args: readonly string[]): Promise<Answer> {
  return spillwayReading('', ...args);
}

async function spillwayReading(input: string, ...args: readonly string[]): Promise<Answer> {
  const kubeconfig = args.includes('--kubeconfig') ? [] : ['--kubeconfig', product.testbed.cluster.kubeconfig];
  try {
    const run = promisify(execFile)(process.execPath, [...main, ...args, ...kubeconfig]);
    run.child.stdin?.end(input);
    return { code: 0, ...(await run) };
  } catch (error) {
    const { code, stdout, stderr } = error as Answer;
    return { code, stdout, stderr };
  }
}

async function why(name: string): Promise<Why> {
  const { code, stdout, stderr } = await spillway('why', `pod/${name}`, '-n', namespace, '-o', 'json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Why;
}

test('why a pod bursts: its policy, its node, its timeline, its events', async () => {
  const pod = shellPod('bursts', 'sleep 10000', { nodeSelector: {}, tolerations: [] });
  await product.kubectl.apply({ ...pod, metadata: { name: 'bursts', namespace, labels: { [label]: 'enforce' } } });
  await waitReady(product.kubectl, namespace, 'bursts');
  const answer = await eventually('the timeline to be complete', async () => {
    const known = await why('bursts');
    // Events are recorded a moment later.
    const isTold = known.events.some(({ reason }) => reason === 'Started');
    return known.backend?.timeline.at(-1)?.stage === 'ready' && isTold && known;
  });
  expect(answer).toMatchObject({
    policy: { value: 'enforce', source: `label ${label}` },
    placement: { kind: 'bound', node: product.testbed.nodeName, virtual: true },
    backend: { instance: 'running', failures: [] },
  });
  expect(answer.events.map(({ reason }) => reason)).toContain('Started');
  const { stdout } = await spillway('why', 'bursts', '-n', namespace, '--no-color');
  expect(stdout).toMatch(/^Policy: +enforce, from label/m);
  expect(stdout).toMatch(/^createAccepted +\S+Z +\d+\.\d{3}$/m);
});

test('why a pod waits: what its scheduler said, and what keeps it from the virtual node', async () => {
  const pod = shellPod('waits', 'sleep 10000', { nodeSelector: { disk: 'none-such' }, tolerations: [] });
  await product.kubectl.apply({ ...pod, metadata: { name: 'waits', namespace } });
  const answer = await eventually('the scheduler to give up', async () => {
    const known = await why('waits');
    return known.placement.kind === 'pending' && known.placement.reason !== undefined && known;
  });
  expect(answer).toMatchObject({
    policy: { value: 'off' },
    placement: { scheduler: 'default-scheduler', reason: 'Unschedulable' },
    virtualNodes: [{ name: product.testbed.nodeName, ready: true, taints: [`${label}=cci:NoSchedule`] }],
  });
});

test('why a pod that is not there says so in one line', async () => {
  const { code, stderr } = await spillway('why', 'pod/none-such', '-n', namespace);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^[^\n]*"none-such" not found[^\n]*\n$/);
});

test('doctor finds what is surprising, and says with its exit code whether something is wrong', async () => {
  const template = { metadata: { labels: { app: 'agent' } }, spec: shellPod('x', 'sleep 10000').spec };
  await product.kubectl.apply({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { ...template, spec: { ...template.spec, nodeSelector: {}, tolerations: [{ operator: 'Exists' }] } },
    },
  });
  const calm = await spillway('doctor', '-o', 'json');
  const { findings } = JSON.parse(calm.stdout) as { findings: Finding[] };
  expect(findings).toContainEqual(
    expect.objectContaining({ code: 'daemonset-on-virtual-nodes', object: `DaemonSet ${namespace}/agent` }),
  );
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  expect(calm.code).toBe(0);

  await product.kubectl.run(['cordon', product.testbed.nodeName]);
  const alarmed = await spillway('doctor', '--no-color');
  await product.kubectl.run(['uncordon', product.testbed.nodeName]);
  expect(alarmed.code).toBe(3);
  expect(alarmed.stdout).toMatch(/^warning node-cordoned: Node /m);
});

const deployment = (name: string, burst: string, replicas: number, cpu: string): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace, labels: { [label]: burst } },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'main',
            image: 'busybox',
            imagePullPolicy: 'IfNotPresent',
            command: ['sleep', '10000'],
            resources: { requests: { cpu, memory: '16Mi' } },
          },
        ],
      },
    },
  },
});

const textOf = (burst: string, cpu = '500m'): string => stringify(deployment('web', burst, 2, cpu));

const plan = (text: string, ...more: readonly string[]): Promise<Answer> =>
  spillwayReading(text, 'plan', '-f', '-', '--no-color', ...more);

describe('plan', () => {
  test.each([
    ['localPrefer', 6, '600m'],
    ['enforce', 3, '100m'],
    ['enforce', 3, '30'],
    ['off', 4, '600m'],
  ])('%s, %i replicas of %s CPU: as many go local, burst and wait as it has forecast', async (burst, replicas, cpu) => {
    const name = `forecast-${burst.toLowerCase()}-${cpu}`;
    const manifest = deployment(name, burst, replicas, cpu);
    const asked = await spillwayReading(JSON.stringify(manifest), 'plan', '-f', '-', '-o', 'json');
    expect([asked.code, asked.stderr]).toEqual([0, '']);
    const { workloads } = JSON.parse(asked.stdout) as Plan;
    const forecast = workloads[0]?.forecast;
    await product.kubectl.apply(manifest);
    const landed = await eventually('all pods to be placed, or to wait', async () => {
      const list = await product.kubectl.list<Pod>(['pods', '-n', namespace, '-l', `app=${name}`]);
      const on = (isThere: (node: string) => boolean): number =>
        list.filter(({ spec }) => isThere(spec?.nodeName ?? '')).length;
      const waiting = list.filter(({ spec, status }) => {
        const told = status?.conditions?.find(({ type }) => type === 'PodScheduled');
        return !spec?.nodeName && told?.reason === 'Unschedulable';
      }).length;
      const burstTo = on((node) => node === product.testbed.nodeName);
      const local = on((node) => node !== '') - burstTo;
      // One that overflows is Unschedulable first.
      const rest = forecast?.waiting ?? 0;
      return list.length === replicas && waiting === rest && local + burstTo + rest === replicas
        ? { local, burst: burstTo, waiting }
        : undefined;
    });
    expect(landed).toEqual(forecast);
    await product.kubectl.run(['delete', 'deployment', name, '-n', namespace]);
    await eventually('its pods to be gone', async () => {
      const left = await product.kubectl.list<Pod>(['pods', '-n', namespace, '-l', `app=${name}`]);
      return left.length === 0;
    });
  });

  test('what has to be changed in a manifest is said, with exit code 3 where it was understood, and 2 where it was not', async () => {
    const unknown = await plan(textOf('always'));
    expect(unknown).toMatchObject({ code: 3, stderr: '' });
    expect(unknown.stdout).toMatch(
      /^Refused: +metadata\.labels: "always" is not a valid value .*auto, localPrefer, enforce, off$/m,
    );

    const config = path.join(product.testbed.dir, 'sized.yaml');
    const { nodeName } = product.testbed;
    await writeFile(
      config,
      stringify({ pools: [{ name: 'cci', nodeName, sizing: 'cci', backend: { type: 'simulated' } }] }),
    );
    const large = await plan(textOf('enforce', '33'), '--config', config);
    expect(large).toMatchObject({ code: 3, stderr: '' });
    expect(large.stdout).toMatch(/^Pool cci: +cpu-too-large /m);
    expect(await plan(textOf('localPrefer', '33'), '--config', config)).toMatchObject({ code: 0, stderr: '' });

    const widget = '{apiVersion: example.org/v1, kind: Widget, metadata: {name: w}}';
    expect(await plan(widget)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Not affected: Widget w$/m) });

    expect(await plan('')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('The manifest contains no objects'),
    });
    const empty = path.join(product.testbed.dir, 'empty.yaml');
    await writeFile(empty, '');
    expect(await spillway('plan', '-f', empty)).toMatchObject({ code: 0, stderr: '' });

    expect(await plan('kind: Pod\nspec: [1')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^standard input:2: not valid YAML: /),
    });
    expect(await plan(textOf('auto').replace('containers:', 'container:'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^standard input:\d+: spec\.template\.spec\.containers: [^\n]*\n$/),
    });
    const absent = path.join(product.testbed.dir, 'absent.yaml');
    expect(await spillway('plan', '-f', absent)).toMatchObject({
      code: 2,
      stderr: `${absent}: cannot read the manifest: there is no such file\n`,
    });
    expect(await spillway('plan')).toMatchObject({ code: 2, stderr: expect.stringContaining('-f FILE') });
    expect(await spillway('plan', '-f', empty, '--replicas', 'many')).toMatchObject({ code: 2 });
  });

  test('a cluster that does not answer is exit code 1, and credentials that are not there are 2', async () => {
    const kubeconfig = path.join(product.testbed.dir, 'nobody.kubeconfig');
    const cluster = { server: 'https://127.0.0.1:1' };
    await writeFile(
      kubeconfig,
      stringify({
        'current-context': 'a',
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
        clusters: [{ name: 'a', cluster }],
        users: [{ name: 'a', user: { token: 't' } }],
      }),
    );
    expect(await plan(textOf('auto'), '--kubeconfig', kubeconfig)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^[^\n]*127\.0\.0\.1:1[^\n]*\n$/),
    });
    expect(await plan(textOf('auto'), '--kubeconfig', '/nowhere')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^[^\n]*\/nowhere[^\n]*\n$/),
    });
  });

  test('for people, what admission writes is told in sentences; for programs, as paths', async () => {
    const { stdout } = await spillwayReading(textOf('enforce'), 'plan', '-f', '-', '--no-color');
    expect(stdout).toMatch(/^Admission: Deployment: its pod template gets the label /m);
    expect(stdout).toMatch(/^ +Pods are placed by the scheduler spillway$/m);
    const forPrograms = await spillwayReading(textOf('enforce'), 'plan', '-f', '-', '-o', 'json');
    const { workloads } = JSON.parse(forPrograms.stdout) as Plan;
    expect(workloads[0]?.writes).toContainEqual({ kind: 'Pod', path: '/spec/schedulerName', value: 'spillway' });
  });
});
