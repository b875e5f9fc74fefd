// The command line against a real API server without nodes: what is created, what is refused, and what a second run does.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import { configMaps, deployments, KubeClient, loadKubeconfig, namespaces, nodes, pods, secrets } from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';

let cluster: Cluster;
let client: KubeClient;
let folder: string;
let configFile: string;

const namespace = 'spillway-system';
const pool = 'pools:\n  - name: rehearsal\n    nodeName: virtual-kubelet\n    backend: {type: simulated}\n';

beforeAll(async () => {
  cluster = await borrowCluster();
  client = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  folder = path.join(cluster.dir, 'install');
  await mkdir(path.join(folder, 'login'), { recursive: true });
  configFile = await written('config.yaml', pool);
});

afterAll(async () => {
  await client?.close();
  await cluster?.close();
});

async function written(name: string, text: string): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, text);
  return file;
}

const spillway = async (...args: readonly string[]): Promise<Answer> => await runSpillway(cluster.kubeconfig, args);

const install = (...args: readonly string[]): Promise<Answer> =>
  spillway('install', '--config', configFile, '--image', 'registry.example.com/spillway:0.1.0', ...args);
const upgrade = (...args: readonly string[]): Promise<Answer> => spillway('upgrade', ...args);
const deployment = (): ReturnType<typeof read> => read();
const read = async () => await client.resource(deployments).get({ namespace, name: 'spillway' });

/** Names of everything that has Spillway's labels. */
async function objects(): Promise<string> {
  const kinds =
    'deployments,configmaps,secrets,services,poddisruptionbudgets,networkpolicies,serviceaccounts,roles,rolebindings,clusterroles,' +
    'clusterrolebindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings,validatingadmissionpolicies,' +
    'validatingadmissionpolicybindings,mutatingwebhookconfigurations,validatingwebhookconfigurations,crds,namespaces';
  const { stdout } = await cluster.kubectl(['get', kinds, '-A', '-o', 'name', '-l', 'app.kubernetes.io/name=spillway']);
  return stdout;
}

test('a dry run says what would be created, and creates nothing', async () => {
  const { code, out } = await install('--dry-run');
  expect(code).toBe(0);
  expect(out).toContain('Deployment spillway-system/spillway');
  expect(out).toContain('Nothing was changed.');
  expect(await objects()).toBe('');
});

test('what stands in the way is said, and nothing is changed', async () => {
  await client.resource(nodes).create({ metadata: { name: 'virtual-kubelet' } });
  const { code, told } = await install();
  expect(code).toBe(3);
  expect(told).toContain('Node virtual-kubelet was not created by Spillway');
  expect(told).toContain('Nothing was changed');
  expect(await objects()).toBe('');
  await client.resource(nodes).delete({ name: 'virtual-kubelet' });
});

test('a configuration that cannot work in pods is refused with its line', async () => {
  const file = await written('address.yaml', pool.replace('backend', 'address: 10.0.0.1\n    backend'));
  const { code, told } = await spillway('install', '--config', file, '--image', 'a/b:1');
  expect(code).toBe(2);
  expect(told).toContain(`${file}:4:14: pools[0].address: `);
});

test('an installation is created whole, and its namespace lets its pods in and no others', async () => {
  const { code, told } = await install('--no-wait', '--replicas', '2');
  expect(code, told).toBe(0);
  // Pod Security "restricted" of the namespace is the API server's.
  const created = await eventually('two pods of the Deployment', async () => {
    const { items } = await client.resource(pods).list({ namespace });
    return items.length === 2 && items;
  });
  expect(created.every(({ spec }) => spec?.serviceAccountName === 'spillway')).toBe(true);
  const privileged = { containers: [{ name: 'a', image: 'a', securityContext: { privileged: true } }] };
  await expect(
    client.resource(pods).create({ metadata: { namespace, name: 'other' }, spec: privileged }),
  ).rejects.toThrow(/violates PodSecurity/);
});

test('a second run changes nothing, and neither do options that are not repeated', async () => {
  const before = await deployment();
  const { code, out, told } = await install('--no-wait', '-o', 'json');
  expect(code, told).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ result: 'applied', changes: [] });
  expect((await deployment()).metadata?.resourceVersion).toBe(before.metadata?.resourceVersion);
});

test('what does not become ready in time is said, with the reason', async () => {
  const { code, out } = await install('--timeout', '3');
  expect(code).toBe(1);
  expect(out).toContain('is not ready');
  expect(out).toMatch(/no nodes available|0 of 2 pods are ready/);
});

test('the status says why it is not healthy', async () => {
  const { code, out } = await spillway('status');
  expect(code).toBe(3);
  expect(out).toContain('not healthy');
  expect(out).toContain('pool rehearsal: no pod leads it yet');
  const other = await spillway('status', '--name', 'other');
  expect(other.code).toBe(1);
  expect(other.told).toContain('there is no installation "other"');
});

test('an upgrade says before what it changes: fields of objects, settings, and no secrets', async () => {
  const login = await written('login/kubeconfig.yaml', 'clusters: []');
  const file = await written(
    'more.yaml',
    `observability: {logLevel: debug}\nadmission: {clientCAFile: ${login}}\n${pool}`,
  );
  const { code, out, told } = await upgrade(
    '--config',
    file,
    '--image',
    'registry.example.com/spillway:0.2.0',
    '--check',
  );
  expect(code, told).toBe(0);
  expect(out).toContain('Secret spillway-system/spillway-files');
  expect(out).toContain('data["config.yaml"].observability.logLevel: (none) → debug');
  expect(out).toMatch(
    /containers\[0\].image: registry.example.com\/spillway:0.1.0 → registry.example.com\/spillway:0.2.0/,
  );
  expect((await deployment()).spec?.template.spec?.containers[0]?.image).toBe('registry.example.com/spillway:0.1.0');
});

test('an upgrade brings files of the user along, keeps them without the file, and its configuration too', async () => {
  const { code, told } = await upgrade('--config', path.join(folder, 'more.yaml'), '--no-wait');
  expect(code, told).toBe(0);
  const secret = await client.resource(secrets).get({ namespace, name: 'spillway-files' });
  expect(Object.keys(secret.data ?? {})).toEqual(['0-kubeconfig.yaml']);
  const next = await upgrade('--image', 'registry.example.com/spillway:0.2.0', '--no-wait', '-o', 'json');
  expect(JSON.parse(next.out)).toMatchObject({
    changes: [{ kind: 'Deployment', fields: [{ path: 'spec.template.spec.containers[0].image' }] }],
  });
  expect((await deployment()).spec?.replicas).toBe(2);
  const { data } = await client.resource(configMaps).get({ namespace, name: 'spillway-config' });
  expect(data?.['config.yaml']).toContain('logLevel: debug');
});

test('a configuration that this version does not know is said, and another one takes its place', async () => {
  const former = pool.replace('{type: simulated}', '{type: cri, socket: /run/containerd.sock}');
  const data = { 'config.yaml': former };
  const ref = { namespace, name: 'spillway-config' };
  await client.resource(configMaps).patch(ref, { type: 'merge', body: { data } });
  const kept = await upgrade('--check');
  expect(kept.code).toBe(2);
  expect(kept.told).toContain('(ConfigMap spillway-system/spillway-config)');
  expect(kept.told).toMatch(/pools\[0\]\.backend\.type: the backend "cri".* use kubernetes/);
  expect(kept.told).toContain('give it with --config');
  const { code, told } = await upgrade('--config', configFile, '--no-wait');
  expect(code, told).toBe(0);
  expect(told).toContain('nothing is rolled back');
  expect((await client.resource(configMaps).get(ref)).data?.['config.yaml']).toContain('simulated');
});

test('an uninstall removes all of it', async () => {
  const { code, out, told } = await spillway('uninstall', '--config', configFile, '--yes');
  expect(code, out + told).toBe(0);
  expect(told).toContain('Stopping Deployment spillway-system/spillway');
  expect(await objects()).toBe('');
  await eventually('the namespace is gone', async () =>
    client
      .resource(namespaces)
      .get({ name: namespace })
      .then(() => false)
      .catch(() => true),
  );
});
