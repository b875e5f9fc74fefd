import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Node, Pod } from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../testkit/eventually.ts';
import type { Product } from '../testkit/product.ts';
import { shellPod, startProduct, waitReady } from '../testkit/product.ts';
import { residue } from '../testkit/residue.ts';

const main = ['--conditions=spillway-source', path.join(import.meta.dirname, '../src/cli/main.ts')];

function condition(node: Node, type: string): string | undefined {
  return node.status?.conditions?.find((entry) => entry.type === type)?.status;
}

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the CLI; with `until`, ends it as soon as its output matches. */
async function spillway(args: readonly string[], until?: RegExp): Promise<Run> {
  const child = spawn(process.execPath, [...main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += String(chunk);
    if (until?.test(output)) child.kill('SIGTERM');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('wrong configurations', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'spillway-config-'));
  });
  afterAll(async () => rm(dir, { recursive: true }));

  const serveWith = async (yaml: string): Promise<Run> => {
    const file = path.join(dir, 'config.yaml');
    await writeFile(file, yaml);
    return spillway(['serve', '--config', file]);
  };

  test('a value that is not allowed: position, field and what is allowed', async () => {
    const { code, output } = await serveWith(
      'pools:\n  - name: a\n    nodeName: a\n    backend:\n      type: clouds\n',
    );
    expect(code).toBe(2);
    expect(output).toMatch(/config\.yaml:5:\d+/);
    expect(output).toContain('pools[0].backend.type');
    expect(output).toMatch(/must be one of: cci, .*kubernetes, simulated/);
  });

  test('a field that does not exist names the one that was meant', async () => {
    const { code, output } = await serveWith('pools:\n  - name: a\n    nodename: a\n    backend: {type: simulated}\n');
    expect(code).toBe(2);
    expect(output).toMatch(/config\.yaml:3:\d+/);
    expect(output).toContain('nodeName');
  });

  test('broken YAML says where', async () => {
    const { code, output } = await serveWith('pools:\n  - name: "a\n');
    expect(code).toBe(2);
    expect(output).toMatch(/config\.yaml:\d+:\d+/);
  });

  test('a file that is not there says so', async () => {
    const { code, output } = await spillway(['serve', '--config', path.join(dir, 'absent.yaml')]);
    expect(code).toBe(2);
    expect(output).toContain('absent.yaml');
    expect(output).not.toMatch(/\n\s+at /);
  });

  test('no configuration at all says what is missing', async () => {
    const { code, output } = await spillway(['serve']);
    expect(code).not.toBe(0);
    expect(output).toContain('--config');
  });
});

describe('what Spillway talks to is not there', () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct('bad-input');
  });
  afterAll(async () => product?.[Symbol.asyncDispose]());

  /** A copy of the pool's configuration that talks to the cluster through another kubeconfig. */
  async function withKubeconfig(name: string, change: (cluster: Record<string, unknown>) => void): Promise<string> {
    const config = parse(await readFile(product.testbed.configFile, 'utf8')) as {
      kubernetes: { kubeconfig: string };
      pools: { kubeletPort: number; nodeName: string }[];
    };
    const kubeconfig = parse(await readFile(config.kubernetes.kubeconfig, 'utf8')) as {
      clusters: { cluster: Record<string, unknown> }[];
    };
    for (const { cluster } of kubeconfig.clusters) change(cluster);
    const file = path.join(product.testbed.dir, `${name}.kubeconfig`);
    await writeFile(file, stringify(kubeconfig));
    config.kubernetes.kubeconfig = file;
    for (const pool of config.pools) {
      pool.kubeletPort += 1;
      pool.nodeName = `${pool.nodeName}-${name}`;
    }
    const configFile = path.join(product.testbed.dir, `${name}.yaml`);
    await writeFile(configFile, stringify(config));
    return configFile;
  }

  test('an API server that nobody answers for: one clear line a try, and it keeps trying', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    const file = await withKubeconfig('unreachable', (cluster) => {
      cluster['server'] = `https://127.0.0.1:${port}`;
    });
    const { output } = await spillway(['serve', '--config', file], /(127\.0\.0\.1[^]*){2}/);
    const line = output.split('\n').find((text) => text.includes(`127.0.0.1:${port}`)) ?? '';
    expect(line).toMatch(/refused|not reachable|cannot reach/i);
    expect(output).not.toMatch(/\n\s+at /);
  });

  test('a wrong certificate authority: the line names it and what to check', async () => {
    const foreign = await readFile(path.join(import.meta.dirname, 'support/foreign-ca.pem'));
    const file = await withKubeconfig('wrong-ca', (cluster) => {
      delete cluster['certificate-authority'];
      cluster['certificate-authority-data'] = foreign.toString('base64');
    });
    const { output } = await spillway(['serve', '--config', file], /certificate[^]*certificate/);
    expect(output).toMatch(/certificate-authority|CA /);
    expect(output).not.toMatch(/\n\s+at /);
  });

  test("the other cluster's API server goes and comes back: the node stays Ready, pods go on, and new ones start", async () => {
    const { kubectl, namespace, testbed, there } = product;
    const named = (name: string): object => ({ ...shellPod(name, 'sleep 3600'), metadata: { name, namespace } });
    await kubectl.apply(named('before'));
    const before = await waitReady(kubectl, namespace, 'before');
    const tasks = (await residue(there)).runningTasks;

    const apiServer = there.component('kube-apiserver');
    await apiServer.stop();
    const node = await eventually('the node to say that its backend is away', async () => {
      const current = await kubectl.get<Node>(['node', testbed.nodeName]);
      return condition(current, 'BackendReachable') === 'False' && current;
    });
    expect(condition(node, 'Ready')).toBe('True');
    await eventually('the pool to be closed for new pods', async () => {
      const current = await kubectl.get<Node>(['node', testbed.nodeName]);
      return current.spec?.taints?.some(({ key }) => key === 'bursting.cci.io/no-schedule');
    });
    await kubectl.apply({
      ...shellPod('during', 'sleep 3600', { nodeName: testbed.nodeName }),
      metadata: { name: 'during', namespace },
    });

    await apiServer.start();
    await waitReady(kubectl, namespace, 'during');
    await eventually('the pool to be open again', async () => {
      const current = await kubectl.get<Node>(['node', testbed.nodeName]);
      return (
        condition(current, 'BackendReachable') === 'True' &&
        !current.spec?.taints?.some(({ key }) => key === 'bursting.cci.io/no-schedule')
      );
    });
    const after = await kubectl.get<Pod>(['pod', 'before', '-n', namespace]);
    expect(after.status?.containerStatuses?.[0]?.containerID).toBe(before.status?.containerStatuses?.[0]?.containerID);
    expect(after.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    expect((await residue(there)).runningTasks).toEqual(expect.arrayContaining(tasks));
  });
});
