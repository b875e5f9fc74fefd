// Spillway's images as a cluster runs them that enforces the strictest of Kubernetes' Pod Security Standards.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cluster, pushImage, startCluster } from '@spillway/devcluster';
import {
  configMaps,
  type Container,
  KubeClient,
  loadKubeconfig,
  namespaces,
  nodes,
  type Pod,
  pods,
  type PodSpec,
  serviceAccounts,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { eventually } from '../testkit/eventually.ts';
import { spillwayProgram } from '../testkit/program.ts';
import { rbacArguments } from '../testkit/rbac-arguments.ts';
import { run } from '../testkit/run-command.ts';
import { productImage, productVersion } from './images.ts';

const namespace = 'spillway-system';
const undo = new AsyncDisposableStack();
let cluster: Cluster;
let client: KubeClient;
let image: string;
let agent: string;

const config = {
  ledger: { directory: '/var/lib/spillway' },
  pools: [
    {
      name: 'burst',
      nodeName: 'virtual-node',
      servingCertificate: { csr: { approve: true } },
      backend: { type: 'simulated', startDelayMs: 0, stopDelayMs: 0 },
    },
  ],
};

/** All that the standard "restricted" asks for, and a root file system that cannot be written to. The user is that of the image. */
function restricted(container: Omit<Container, 'name'>): PodSpec {
  return {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'main',
        ...container,
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'config', mountPath: '/etc/spillway' },
          { name: 'state', mountPath: '/var/lib/spillway' },
        ],
      },
    ],
    volumes: [
      { name: 'config', configMap: { name: 'config' } },
      { name: 'state', emptyDir: {} },
    ],
  };
}

async function create(name: string, spec: PodSpec): Promise<void> {
  await client.resource(pods).create({ metadata: { namespace, name }, spec });
}

const get = (name: string): Promise<Pod> => client.resource(pods).get({ namespace, name });

async function logsOf(name: string): Promise<string> {
  const { stdout, stderr } = await cluster.kubectl(['logs', '-n', namespace, name]);
  return stdout + stderr;
}

/** Runs a command of the image to its end. */
async function ended(name: string, container: Omit<Container, 'name'>): Promise<{ code: number; said: string }> {
  await create(name, restricted(container));
  const { exitCode } = await eventually(`pod ${name} to end`, async () => {
    const { status } = await get(name);
    return status?.containerStatuses?.[0]?.state?.terminated;
  });
  return { code: exitCode, said: await logsOf(name) };
}

beforeAll(async () => {
  const [built, builtAgent, started] = await Promise.all([
    productImage('spillway'),
    productImage('spillway-link-agent'),
    startCluster({ node: {} }),
  ]);
  cluster = undo.use(started);
  const version = await productVersion();
  image = `docker.io/library/spillway:${version}`;
  agent = `docker.io/library/spillway-link-agent:${version}`;
  await pushImage(cluster.registry, image, built);
  await pushImage(cluster.registry, agent, builtAgent, image);
  client = undo.use(new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) }));
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await client.resource(namespaces).create({ metadata: { name: namespace, labels } });
  await client.resource(configMaps).create({
    metadata: { namespace, name: 'config' },
    data: { 'config.yaml': stringify(config), 'broken.yaml': 'pools: []\ncolour: red\n' },
  });
  await eventually('the default service account', () =>
    client.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
});

afterAll(() => undo.disposeAsync());

test('the image says which version it is', async () => {
  const { code, said } = await ended('version', { image, args: ['version'] });
  expect(said).toContain(`spillway ${await productVersion()} (Node.js v24.`);
  expect(code).toBe(0);
});

test('a mounted configuration is checked', async () => {
  const check = ['config', 'check', '--config'];
  expect(await ended('check', { image, args: [...check, '/etc/spillway/config.yaml'] })).toMatchObject({ code: 0 });
  const { code, said } = await ended('check-broken', { image, args: [...check, '/etc/spillway/broken.yaml'] });
  expect(said).toContain('/etc/spillway/broken.yaml:2:1: unknown field "colour"');
  expect(code).toBe(2);
});

test('the agent says what it lacks outside of a burst pod', async () => {
  const { code, said } = await ended('agent', { image: agent });
  expect(said).toMatch(/the link agent cannot run.*is not set/);
  expect(code).toBe(1);
});

test('Spillway serves a virtual node from a pod, with the rights of its account', async ({ signal }) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'spillway-image-'));
  undo.defer(() => rm(dir, { recursive: true }));
  const file = path.join(dir, 'config.yaml');
  await writeFile(file, stringify(config));
  const [node = '', ...program] = spillwayProgram;
  const manifests = await run(node, [...program, ...rbacArguments(cluster, file)], { signal });
  const applied = await cluster.kubectl(['apply', '-f', '-'], { input: manifests });
  expect(applied.code, applied.stderr).toBe(0);

  const args = ['serve', '--config', '/etc/spillway/config.yaml'];
  await create('serve', { ...restricted({ image, args }), serviceAccountName: 'spillway' });
  await eventually('the virtual node to be Ready', async () => {
    const { status } = await client.resource(nodes).get({ name: 'virtual-node' });
    return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  }).catch(async (cause: unknown) => {
    throw new Error(await logsOf('serve'), { cause });
  });
  await client.resource(pods).create({
    metadata: { namespace: 'default', name: 'burst' },
    spec: { nodeName: 'virtual-node', containers: [{ name: 'main', image: 'none' }] },
  });
  await eventually('a pod on the virtual node to run', async () => {
    const { status } = await client.resource(pods).get({ namespace: 'default', name: 'burst' });
    return status?.phase === 'Running';
  });
  // The API server reaches the kubelet API, which is in the pod, once somebody has signed its certificate.
  await eventually('the log of the pod', async () => (await cluster.kubectl(['logs', 'burst'])).code === 0);
  // What it writes is where it may.
  await eventually('the ledger', async () => {
    const { stdout } = await cluster.kubectl(['exec', '-n', namespace, 'serve', '--', 'ls', '/var/lib/spillway']);
    return stdout.includes('burst.jsonl');
  });
});
