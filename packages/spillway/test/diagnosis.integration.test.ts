import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../src/diagnosis/doctor/view.ts';
import type { Why } from '../src/diagnosis/why.ts';
import { eventually } from './support/kubectl.ts';
import { type Product, shellPod, startProduct, waitReady } from './support/product.ts';

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
  const all = [...main, ...args, '--kubeconfig', product.testbed.cluster.kubeconfig];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, all)) };
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
    return known.backend?.timeline.at(-1)?.stage === 'ready' && known;
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
