// The command line against a real API server without nodes: what is created, what is refused, and what a second run does.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cluster } from '@spillway/devcluster';
import {
  configMaps,
  customResourceDefinitions,
  deployments,
  KubeClient,
  type KubeObject,
  loadKubeconfig,
  mutatingWebhookConfigurations,
  namespaces,
  nodes,
  pods,
  secrets,
} from '@spillway/kube';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { eventually } from '../../testkit/eventually.ts';
import { type Answer, runSpillway } from '../../testkit/run-spillway.ts';
import { addOnDeployment, addOnNode, addOnWebhook } from '../cce-addon/testing/add-on-objects.ts';
import { parseJson } from '../backends/trusted.ts';
import { scheduleProfileCrd } from '../placement/rules/schedule-profile-crd.ts';
import { scheduleProfiles } from '../placement/rules/schedule-profile.ts';

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

/** The vendor's add-on, as far as nobody runs for it: its objects, and what its users have made for it. */
async function addOnThere(): Promise<void> {
  const { labels: _ours, ...metadata } = scheduleProfileCrd.metadata ?? {};
  const [version] = scheduleProfileCrd.spec.versions;
  if (version === undefined) throw new Error('it has a version');
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;
  const { additionalPrinterColumns: _columns, ...rest } = version;
  const versions = [{ ...rest, schema: { openAPIV3Schema: open } }];
  await client
    .resource(customResourceDefinitions)
    .create({ ...scheduleProfileCrd, metadata, spec: { ...scheduleProfileCrd.spec, versions } });
  await client.resource(nodes).create(addOnNode);
  await client.resource(mutatingWebhookConfigurations).create(addOnWebhook);
  for (const part of ['virtual-kubelet', 'webhook'] as const)
    await client.resource(deployments).create(addOnDeployment(part));
  await client.resource(configMaps).create({
    metadata: { namespace: 'kube-system', name: 'bursting-status' },
    data: { enableBurstingNode: 'true' },
  });
  await client.resource(pods).create({
    metadata: { namespace: 'default', name: 'burst', labels: { 'virtual-kubelet.io/burst-to-cci': 'enforce' } },
    spec: { nodeName: 'bursting-node', containers: [{ name: 'main', image: 'app' }] },
  });
  const spec = { objectLabels: { matchLabels: { app: 'web' } }, strategy: 'enforce', extra: 'the vendor’s' } as const;
  const profile = { metadata: { namespace: 'default', name: 'web' }, spec };
  await eventually('the profiles of the add-on', () => client.resource(scheduleProfiles).create(profile));
  await eventually('the Deployments to be looked at', async () => {
    const { items } = await client.resource(deployments).list({ namespace: 'kube-system' });
    return items.every(({ metadata: { annotations = {} } = {} }) => 'deployment.kubernetes.io/revision' in annotations);
  });
}

/** What the add-on and its users have written. The cluster itself writes status, and taints of nodes that say nothing. */
async function addOnAsWritten(): Promise<unknown> {
  const system = 'kube-system';
  const found: KubeObject[] = await Promise.all([
    client.resource(customResourceDefinitions).get({ name: scheduleProfileCrd.metadata?.name ?? '' }),
    client.resource(mutatingWebhookConfigurations).get({ name: addOnWebhook.metadata?.name ?? '' }),
    client.resource(deployments).get({ namespace: system, name: 'cceaddon-virtual-kubelet-virtual-kubelet' }),
    client.resource(deployments).get({ namespace: system, name: 'cceaddon-virtual-kubelet-webhook' }),
    client.resource(configMaps).get({ namespace: system, name: 'bursting-status' }),
    client.resource(pods).get({ namespace: 'default', name: 'burst' }),
    client.resource(scheduleProfiles).get({ namespace: 'default', name: 'web' }),
    client.resource(nodes).get({ name: 'bursting-node' }),
  ]);
  return found.map((object) => {
    const { kind, metadata, status: _status, spec, ...rest } = parseJson<Written>(JSON.stringify(object));
    const { resourceVersion: _version, managedFields: _managers, ...own } = metadata ?? {};
    if (kind !== 'Node') return { kind, own, spec, ...rest };
    const taints = spec?.taints?.filter(({ key }) => !key.startsWith('node.kubernetes.io/'));
    return { kind, labels: own.labels, taints, unschedulable: spec?.unschedulable };
  });
}

interface Written extends KubeObject {
  readonly status?: unknown;
  readonly spec?: { readonly taints?: readonly { readonly key: string }[]; readonly unschedulable?: boolean };
}

test('next to the CCE add-on, it is told, and neither the installation nor its end touches anything of it', async () => {
  await addOnThere();
  const before = await addOnAsWritten();
  const installed = await install('--no-wait');
  expect(installed.code, installed.told).toBe(0);
  expect(installed.told).toContain('the CCE add-on virtual-kubelet is in this cluster, with 1 pod on its node');
  expect(installed.told).toContain('scheduleprofiles.scheduling.cci.io was not created by Spillway');
  expect(await addOnAsWritten()).toEqual(before);
  const doctor = await spillway('doctor', '-o', 'json');
  const { findings } = parseJson<{ findings: { code: string; object?: string }[] }>(doctor.out);
  expect(findings.map(({ code }) => code)).toContain('cce-add-on');
  expect(findings.filter(({ object }) => object?.includes('bursting-node') === true)).toEqual([]);
  const seen = await spillway('migrate-addon', '-o', 'json');
  expect([seen.code, JSON.parse(seen.out)]).toEqual([
    0,
    expect.objectContaining({
      adopted: false,
      workloads: [expect.objectContaining({ kind: 'Pod', name: 'burst', fate: 'stays' })],
    }),
  ]);
  const refused = await spillway('migrate-addon', '--adopt', '--yes');
  expect([refused.code, refused.told]).toEqual([3, expect.stringContaining('there is no virtual node of Spillway')]);
  const { code, out, told } = await spillway('uninstall', '--config', configFile, '--yes');
  expect(code, out + told).toBe(0);
  expect(await objects()).toBe('');
  expect(await addOnAsWritten()).toEqual(before);
});
