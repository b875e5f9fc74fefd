import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { footprintOf, residueOf } from '../../test/residue.ts';
import { http } from '../host/http.ts';
import { agnhostImage } from '../images/names.ts';
import { buildImage } from '../images/oci.ts';
import { pushImage } from '../images/push.ts';
import { readRecord } from '../record.ts';
import { attachCluster, startCluster, statusOfClusters, type Cluster } from '../index.ts';

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: '${agnhostImage}', args: [netexec, --http-port=8080] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
`;

async function kubectl(cluster: Cluster, ...args: string[]): Promise<string> {
  const { stdout, stderr, code } = await cluster.kubectl(args);
  expect(stderr === '' || code === 0, stderr).toBe(true);
  return stdout.trim();
}

/** Runs a pod to readiness. */
async function runPod(cluster: Cluster, name: string, image: string, ...command: string[]): Promise<void> {
  await kubectl(cluster, 'run', name, `--image=${image}`, '--restart=Never', '--command', '--', ...command);
  await kubectl(cluster, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=180s');
}

describe('a cluster with a node', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ node: { cpu: '1500m', memory: '2Gi', maxPods: 30 } });
  });
  afterAll(() => cluster.close());

  test('the node is Ready and as large as asked for', async () => {
    const node = JSON.parse(await kubectl(cluster, 'get', 'node', 'node-1', '-o', 'json'));
    expect(node.status.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
    expect(node.status.allocatable).toMatchObject({ cpu: '1500m', memory: '2Gi', pods: '30' });
    expect(node.status.addresses).toContainEqual({ type: 'InternalIP', address: cluster.nodeAddress });
  });

  test('a Deployment runs, and its Service answers by address and by name from a pod and through the API server', async () => {
    await cluster.kubectl(['apply', '-f', '-'], { input: web });
    await kubectl(cluster, 'rollout', 'status', 'deployment/web', '--timeout=180s');
    await runPod(cluster, 'client', agnhostImage, '/agnhost', 'pause');
    const address = await kubectl(cluster, 'get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}');
    // Ready is who has started, and may not listen yet; the node learns of the Service a moment later.
    await expect
      .poll(() => cluster.kubectl(['exec', 'client', '--', 'wget', '-qO-', `http://${address}/hostname`]))
      .toMatchObject({ code: 0, stdout: expect.stringMatching(/^web-/) });
    for (const name of ['web:80', 'web.default.svc.cluster.local:80', 'kubernetes.default:443']) {
      await expect
        .poll(() => cluster.kubectl(['exec', 'client', '--', '/agnhost', 'connect', name]))
        .toMatchObject({ code: 0 });
    }
    const proxied = '/api/v1/namespaces/default/services/web:80/proxy/hostname';
    await expect
      .poll(() => cluster.kubectl(['get', '--raw', proxied]))
      .toMatchObject({ code: 0, stdout: expect.stringMatching(/^web-/) });
  });

  test('pods call the host, which sees their node; pods see each other', async () => {
    await using host = createServer((request, response) => response.end(request.socket.remoteAddress));
    host.listen(0, cluster.hostAddress);
    await once(host, 'listening');
    const callerSeenBy = async (url: string): Promise<string> =>
      kubectl(cluster, 'exec', 'client', '--', 'wget', '-qO-', url);
    const address = host.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect(await callerSeenBy(`http://${cluster.hostAddress}:${port}`)).toBe(cluster.nodeAddress);
    const [podOfWeb, podOfClient] = await Promise.all(
      ['app=web', 'run=client'].map((label) =>
        kubectl(cluster, 'get', 'pods', '-l', label, '-o', 'jsonpath={.items[0].status.podIP}'),
      ),
    );
    expect(await callerSeenBy(`http://${podOfWeb}:8080/clientip`)).toMatch(`${podOfClient}:`);
  });

  test('logs, exec with exit code, and cp work on the real node', async () => {
    await runPod(cluster, 'shell', 'centos:latest', '/bin/bash', '-c', 'echo hello from $0; exec sleep 1000');
    await expect.poll(() => kubectl(cluster, 'logs', 'shell')).toBe('hello from /bin/bash');
    expect(await cluster.kubectl(['exec', 'shell', '--', 'bash', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    const folder = await mkdtemp(join(tmpdir(), 'spillway-cp-'));
    await writeFile(join(folder, 'file'), 'contents');
    await kubectl(cluster, 'cp', join(folder, 'file'), 'shell:/tmp/file');
    expect(await kubectl(cluster, 'exec', 'shell', '--', 'cat', '/tmp/file')).toBe('contents');
    await rm(folder, { recursive: true });
  });

  test('an image that was pushed to the cluster’s registry can be run under any registry’s name', async () => {
    const busybox = await readFile('/bin/busybox');
    const image = buildImage(
      { entries: [{ type: 'file', path: 'busybox', mode: 0o755, content: busybox }], entrypoint: ['/busybox'] },
      process.arch === 'x64' ? 'amd64' : process.arch,
    );
    await pushImage(cluster.registry, 'example.com/team/tool:1', image);
    await runPod(cluster, 'tool', 'example.com/team/tool:1', '/busybox', 'sleep', '1000');
  });

  test('identities have the rights of their groups, and no others', async () => {
    const nobody = await cluster.kubeconfigFor({ user: 'jane' });
    expect(await cluster.kubectl(['get', 'nodes'], { env: { KUBECONFIG: nobody } })).toMatchObject({ code: 1 });
    const masters = await cluster.kubeconfigFor({ user: 'jane', groups: ['system:masters'] });
    expect(await cluster.kubectl(['get', 'nodes'], { env: { KUBECONFIG: masters } })).toMatchObject({ code: 0 });
    const account = await cluster.kubeconfigFor({ serviceAccount: { namespace: 'default', name: 'default' } });
    const who = await cluster.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], {
      env: { KUBECONFIG: account },
    });
    expect(who.stdout).toBe('system:serviceaccount:default:default');
  });

  test('the kubelet’s API is open to the API server and to nobody without a certificate', async () => {
    const ca = await readFile(cluster.ca.certFile, 'utf8');
    expect((await http(`https://${cluster.nodeAddress}:10250/pods`, { ca })).status).toBe(401);
    expect(JSON.parse(await kubectl(cluster, 'get', '--raw', '/api/v1/nodes/node-1/proxy/pods')).kind).toBe('PodList');
  });

  test('a killed component comes back by itself; a stopped one comes back when it is told to', async () => {
    const scheduler = cluster.component('kube-scheduler');
    const before = await scheduler.pid();
    process.kill(before ?? 0, 'SIGKILL');
    const phase = async (): Promise<string | undefined> =>
      (await cluster.status()).components.find(({ name, pid }) => name === 'kube-scheduler' && pid !== before)?.phase;
    await expect.poll(phase, { timeout: 120_000 }).toBe('running');
    await scheduler.stop('SIGKILL');
    expect(await scheduler.pid()).toBeUndefined();
    await scheduler.start();
    expect(await scheduler.pid()).toBeGreaterThan(0);
  });

  test('after a compaction old versions are gone', async () => {
    const version = await kubectl(cluster, 'get', 'node', 'node-1', '-o', 'jsonpath={.metadata.resourceVersion}');
    await kubectl(cluster, 'create', 'configmap', 'after', '--from-literal=a=b');
    expect(await cluster.etcd.compact()).toBeGreaterThan(Number(version));
    // The API server's own cache knows the versions that it has seen itself.
    await cluster.component('kube-apiserver').restart();
    const path = `/api/v1/nodes?watch=1&resourceVersion=${version}`;
    const watched = await cluster.kubectl(['get', '--raw', path]);
    expect(watched.stdout + watched.stderr).toMatch(/too old resource version/);
  });

  test('after a restore what happened since the snapshot never happened', async () => {
    const version = async (): Promise<number> =>
      Number(JSON.parse(await kubectl(cluster, 'get', '--raw', '/api/v1/namespaces')).metadata.resourceVersion);
    await kubectl(cluster, 'create', 'configmap', 'before', '--from-literal=a=b');
    const snapshot = await cluster.etcd.snapshot();
    await kubectl(cluster, 'delete', 'configmap', 'before');
    const since = Array.from({ length: 200 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `since-${index}` },
    }));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: since });
    expect(await cluster.kubectl(['create', '-f', '-'], { input })).toMatchObject({ code: 0 });
    const newest = await version();
    await cluster.etcd.restore(snapshot);
    expect(await version()).toBeLessThan(newest);
    const names = await kubectl(cluster, 'get', 'configmaps', '-o', 'name');
    expect(names).toContain('configmap/before');
    expect(names).not.toContain('configmap/since-');
    // The controllers go on.
    await kubectl(cluster, 'create', 'namespace', 'afterwards');
    await expect
      .poll(() => cluster.kubectl(['get', 'serviceaccount', 'default', '-n', 'afterwards']), { timeout: 120_000 })
      .toMatchObject({ code: 0 });
  });

  test('a second cluster beside it works by itself and leaves nothing when it is closed', async () => {
    const second = await startCluster();
    const footprint = await footprintOf(second);
    expect(second.nodeAddress).not.toBe(cluster.nodeAddress);
    await runPod(second, 'client', agnhostImage, '/agnhost', 'pause');
    await expect
      .poll(() => second.kubectl(['exec', 'client', '--', '/agnhost', 'connect', 'kubernetes.default:443']))
      .toMatchObject({ code: 0 });
    expect(await kubectl(second, 'get', 'pods', '-o', 'name')).toBe('pod/client');
    expect(await residueOf(footprint)).not.toEqual([]);
    const withPods = await footprintOf(second);
    expect(withPods.sandboxes).not.toEqual([]);
    await second.close();
    expect(await residueOf(withPods)).toEqual([]);
    expect(await cluster.kubectl(['exec', 'client', '--', '/agnhost', 'connect', 'web:80'])).toMatchObject({ code: 0 });
  });
});

describe('what is left when processes are killed', () => {
  test('a cluster whose owner was killed removes itself', async () => {
    const name = `own-${process.pid}`;
    const owner = spawn(process.execPath, [fileURLToPath(new URL('../../test/owner.ts', import.meta.url)), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    const footprint = await footprintOf(await attachCluster(name));
    expect(footprint.sandboxes).not.toEqual([]);
    expect(await residueOf(footprint)).not.toEqual([]);
    owner.kill('SIGKILL');
    await expect.poll(() => residueOf(footprint), { timeout: 120_000 }).toEqual([]);
  });

  test('a cluster whose supervisor was killed is removed by the next call', async () => {
    const cluster = await startCluster({ keep: true });
    await runPod(cluster, 'sleeper', 'busybox', 'sleep', '1000');
    const footprint = await footprintOf(cluster);
    const record = await readRecord(cluster.dir);
    process.kill(record?.supervisor?.pid ?? 0, 'SIGKILL');
    expect(await residueOf(footprint)).not.toEqual([]);
    // Another test's call may be at it already: then this one finds it half removed.
    await expect.poll(async () => (await statusOfClusters()).map(({ name }) => name)).not.toContain(cluster.name);
    await expect.poll(() => residueOf(footprint)).toEqual([]);
  });

  test('a cluster that cannot start says which component’s fault it is, and leaves nothing', async () => {
    const name = `bad-${process.pid}`;
    const start = startCluster({ name, node: false, extraArgs: { 'kube-scheduler': ['--no-such-flag'] } });
    await expect(start).rejects.toThrow(/kube-scheduler does not start[^]*no-such-flag/);
    expect((await statusOfClusters()).map((cluster) => cluster.name)).not.toContain(name);
  });

  test('a name that is in use is refused, and the cluster that has it stays', async () => {
    const first = await startCluster({ node: false });
    await expect(startCluster({ name: first.name, node: false })).rejects.toMatchObject({ kind: 'exists' });
    expect(await first.kubectl(['get', '--raw', '/readyz'])).toMatchObject({ stdout: 'ok' });
    await first.close();
    await expect(attachCluster(first.name)).rejects.toMatchObject({ kind: 'notFound' });
  });
});
