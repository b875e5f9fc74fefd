import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { abilitiesOf, type Cluster, currentEnvironment, knownKubernetesVersion } from '@spillway/devcluster';
import {
  configMaps,
  type Event,
  events,
  isForbidden,
  isNotFound,
  KubeClient,
  leases,
  loadKubeconfig,
  namespaces,
  type Node,
  nodes,
  type Pod,
  pods,
  type PodSpec,
  secrets,
  serviceAccounts,
} from '@spillway/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { borrowCluster } from '../../../devcluster/testkit/borrow.ts';
import { parseJson } from '../backends/trusted.ts';
import { decodeWorkload } from '../backends/simulated/workload-codec.ts';
import { sizeAnnotationNames } from '../podspec/contract.ts';
import type { Explanation } from '../pods/explain.ts';
import { stages } from '../pods/timeline.ts';
import { eventuallyWith } from '../../testkit/eventually.ts';
import { rbacArguments } from '../../testkit/rbac-arguments.ts';

const main = ['--conditions=spillway-source', path.join(import.meta.dirname, '../cli/main.ts')];
const nodeName = 'virtual-kubelet';
/** Whose pods have the sizes of CCI. */
const billedNodeName = 'billed-node';
const namespace = 'work';

const { podGenerations, validatingPolicies } = abilitiesOf(
  knownKubernetesVersion(currentEnvironment().kubernetesVersion),
);
let cluster: Cluster;
let admin: KubeClient;
let dir: string;
let configFile: string;
let server: ChildProcess | undefined;
let logFile: string;
let starts = 0;

beforeAll(async () => {
  cluster = await borrowCluster();
  admin = new KubeClient({ config: await loadKubeconfig({ paths: [cluster.kubeconfig] }) });
  dir = path.join(cluster.dir, 'serve-test');
  configFile = path.join(dir, 'config.yaml');
  await mkdir(dir, { recursive: true });
  await writeConfig({});
  const manifests = await run(rbacArguments(cluster, configFile));
  const applied = await cluster.kubectl(['apply', '-f', '-'], { input: manifests.stdout });
  expect(applied.stderr).toBe('');
  const kubeconfig = await cluster.kubeconfigFor({
    serviceAccount: { namespace: 'spillway-system', name: 'spillway' },
  });
  await writeConfig({ kubernetes: { kubeconfig } });
  await admin.resource(namespaces).create({ metadata: { name: namespace } });
  await eventually('the default service account', () =>
    admin.resource(serviceAccounts).get({ namespace, name: 'default' }),
  );
  await start();
});

afterAll(async () => {
  await stop('SIGKILL');
  await admin?.close();
  await cluster?.close();
});

async function writeConfig(more: object): Promise<void> {
  const pool = {
    name: 'rehearsal',
    nodeName,
    address: cluster.nodeAddress,
    kubeletPort: 10_270,
    servingCertificate: { csr: { approve: true } },
    sweep: { graceSeconds: 3 },
    backend: { type: 'simulated', stateFile: path.join(dir, 'state.json') },
  };
  const billed = {
    ...pool,
    name: 'billed',
    nodeName: billedNodeName,
    kubeletPort: 10_271,
    sizing: 'cci',
    backend: { type: 'simulated', stateFile: path.join(dir, 'billed.json') },
  };
  await writeFile(configFile, stringify({ pools: [pool, billed], ...more }));
}

async function run(args: readonly string[]): Promise<{ stdout: string; code: number | null }> {
  const child = spawn(process.execPath, [...main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
  });
  const [code]: unknown[] = await once(child, 'close');
  return { stdout, code: typeof code === 'number' ? code : null };
}

async function start(): Promise<void> {
  starts += 1;
  logFile = path.join(dir, `serve-${starts}.log`);
  const log = await open(logFile, 'w');
  server = cluster.spawn(process.execPath, [...main, 'serve', '--config', configFile], {
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
}

async function stop(signal: NodeJS.Signals): Promise<number | null> {
  const child = server;
  server = undefined;
  if (!child || child.exitCode !== null) return child?.exitCode ?? null;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
  return child.exitCode;
}

const eventually = eventuallyWith({ evidence: async () => `log of spillway:\n${await readFile(logFile, 'utf8')}` });

function pod(name: string, spec: Partial<PodSpec> = {}): Pod {
  return {
    metadata: { name, namespace },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'busybox', command: ['sleep', '3600'] }],
      ...spec,
    },
  };
}

const createPod = (name: string, spec: Partial<PodSpec> = {}): Promise<Pod> =>
  admin.resource(pods).create(pod(name, spec));
const getPod = (name: string): Promise<Pod> => admin.resource(pods).get({ namespace, name });
const getNode = (): Promise<Node> => admin.resource(nodes).get({ name: nodeName });

async function ready(name: string): Promise<Pod> {
  return eventually(`pod ${name} to be ready`, async () => {
    const current = await getPod(name);
    return current.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && current;
  });
}

async function gone(name: string): Promise<void> {
  await eventually(`pod ${name} to be gone`, async () => {
    try {
      await getPod(name);
      return false;
    } catch (error) {
      return isNotFound(error);
    }
  });
}

async function eventOf(name: string, reason: string): Promise<Event | undefined> {
  const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
  const { items } = await admin.resource(events).list({ namespace, fieldSelector });
  return items[0];
}

/** UIDs of the instances that the backend keeps. */
async function instances(): Promise<readonly string[]> {
  const text = await readFile(path.join(dir, 'state.json'), 'utf8');
  return Array.from(new Set(text.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g)));
}

/** With the rights that the process has. */
async function ownClient(): Promise<KubeClient> {
  const serviceAccount = { namespace: 'spillway-system', name: 'spillway' };
  const kubeconfig = await cluster.kubeconfigFor({ serviceAccount });
  return new KubeClient({ config: await loadKubeconfig({ paths: [kubeconfig] }) });
}

async function refused(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isForbidden(error), String(error)).toBe(true);
}

const idOf = (current: Pod | undefined): string | undefined => current?.status?.containerStatuses?.[0]?.containerID;

describe('a virtual node', () => {
  it('is registered with its labels, taints, addresses, conditions, capacity and lease', async () => {
    const node = await eventually('the node', async () => {
      const current = await getNode();
      return current.status?.conditions?.some(({ type }) => type === 'BackendReachable') && current;
    });
    expect(node.metadata?.labels).toMatchObject({ type: 'virtual-kubelet', 'kubernetes.io/os': 'linux' });
    expect(node.spec?.taints).toEqual(
      expect.arrayContaining([
        { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' },
        { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' },
      ]),
    );
    const conditions = node.status?.conditions?.map(({ type, status }) => `${type}=${status}`);
    expect(conditions).toEqual(expect.arrayContaining(['Ready=True', 'BackendReachable=True', 'MemoryPressure=False']));
    expect(node.status?.addresses).toContainEqual({ type: 'InternalIP', address: cluster.nodeAddress });
    expect(node.status?.capacity).toMatchObject({ cpu: '1k', pods: '10k' });
    expect(node.status?.nodeInfo?.kubeletVersion).toContain(`v${cluster.kubernetesVersion}-spillway.`);
    const lease = await eventually('the lease', () =>
      admin.resource(leases).get({ namespace: 'kube-node-lease', name: nodeName }),
    );
    expect(lease.metadata?.ownerReferences?.[0]?.uid).toBe(node.metadata?.uid);
  });

  it('comes back when somebody deletes it, with its lease under the new UID', async () => {
    const before = await getNode();
    await admin.resource(nodes).delete({ name: nodeName });
    const after = await eventually('the node to be back', async () => {
      const current = await getNode();
      return current.metadata?.uid !== before.metadata?.uid && current.status?.conditions && current;
    });
    await eventually('the lease to be owned by the new node', async () => {
      const lease = await admin.resource(leases).get({ namespace: 'kube-node-lease', name: nodeName });
      return lease.metadata?.ownerReferences?.some(({ uid }) => uid === after.metadata?.uid);
    });
  });

  it('gets its taints and labels back when somebody edits them away, and keeps those of others', async () => {
    const body = {
      metadata: { labels: { type: null, 'example.com/rack': 'r1' } },
      spec: { taints: [{ key: 'example.com/mine', effect: 'NoSchedule' }] },
    };
    await admin.resource(nodes).patch({ name: nodeName }, { type: 'merge', body });
    const node = await eventually('the taints to be back', async () => {
      const current = await getNode();
      return current.spec?.taints?.some(({ key }) => key === 'virtual-kubelet.io/burst-to-cci') && current;
    });
    expect(node.spec?.taints).toContainEqual({ key: 'example.com/mine', effect: 'NoSchedule' });
    expect(node.metadata?.labels).toMatchObject({ type: 'virtual-kubelet', 'example.com/rack': 'r1' });
    const undo = { metadata: { labels: { 'example.com/rack': null } }, spec: { taints: [] } };
    await admin.resource(nodes).patch({ name: nodeName }, { type: 'merge', body: undo });
  });
});

const proxied = (page: string): string => `/api/v1/nodes/${nodeName}/proxy/${page}`;

describe('pods on the virtual node', () => {
  it('run, with everything in their status that others rely on', async () => {
    await createPod('web');
    const { metadata, status } = await eventually('the status to be that of the newest generation', async () => {
      const current = await ready('web');
      return current.status?.observedGeneration === current.metadata?.generation && current;
    });
    if (podGenerations) expect(metadata?.generation).toBeGreaterThan(0);
    expect(status).toMatchObject({
      phase: 'Running',
      hostIP: cluster.nodeAddress,
      podIPs: [{ ip: status?.podIP }],
      qosClass: 'BestEffort',
      containerStatuses: [{ name: 'main', ready: true, started: true, restartCount: 0 }],
    });
    expect(status?.conditions?.map(({ type }) => type).toSorted()).toEqual([
      'ContainersReady',
      'Initialized',
      'PodReadyToStartContainers',
      'PodScheduled',
      'Ready',
    ]);
  });

  it('run in a size that can be had, are annotated with it by the node itself, and are not changed otherwise', async () => {
    const resources = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } };
    const written = pod('billed', {
      nodeName: billedNodeName,
      containers: [{ name: 'main', image: 'busybox', command: ['sleep', '3600'], resources }],
    });
    const annotations = { [sizeAnnotationNames.cpu]: '64u', theirs: 'kept' };
    await admin.resource(pods).create({ ...written, metadata: { ...written.metadata, annotations } });
    const { metadata, spec } = await ready('billed');
    expect(metadata?.annotations).toEqual({
      'virtual-kubelet.cci.io/burst-pod-cpu': '2u',
      'virtual-kubelet.cci.io/burst-pod-memory': '4Gi',
      theirs: 'kept',
    });
    expect(spec?.containers[0]?.resources).toEqual(resources);
    const [kept] = parseJson<readonly { workload: string }[]>(await readFile(path.join(dir, 'billed.json'), 'utf8'));
    const size = { cpu: '2', memory: '4Gi' };
    expect(decodeWorkload(kept?.workload ?? '').pod.spec?.containers[0]?.resources).toEqual({
      limits: size,
      requests: size,
    });
    const event = await eventually('the event', () => eventOf('billed', 'SizeAdjusted'));
    expect(event).toMatchObject({
      type: 'Normal',
      message: expect.stringContaining('Container main got memory 3Gi more'),
    });
  });

  it('that cannot be had in any size stay Pending, with reason and remedy, and cost nothing', async () => {
    const resources = { limits: { cpu: '33', memory: '66Gi' } };
    await createPod('huge', {
      nodeName: billedNodeName,
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'busybox', resources }],
    });
    const event = await eventually('the event', () => eventOf('huge', 'NotSupportedByPool'));
    expect(event).toMatchObject({
      type: 'Warning',
      message: expect.stringMatching(/^spec\.containers: .*it needs 33, .* Request less/),
    });
    const { metadata, status } = await eventually('the status', async () => {
      const current = await getPod('huge');
      return current.status?.containerStatuses && current;
    });
    expect(status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'NotSupportedByPool', message: event.message } } }],
    });
    expect(metadata?.annotations).toBeUndefined();
    expect(await readFile(path.join(dir, 'billed.json'), 'utf8')).not.toContain(metadata?.uid);
  });

  it('tell when they passed each stage of their start, through the API server', async () => {
    await createPod('timed');
    await ready('timed');
    const { timeline } = await eventually('the timeline to be complete', async () => {
      const known = await admin.request<Explanation>({
        method: 'GET',
        path: proxied(`explain/${namespace}/timed`),
      });
      return known.timeline.at(-1)?.stage === 'ready' && known;
    });
    expect(timeline.map(({ stage }) => stage)).toEqual([...stages]);
    const metrics = await admin.request<string>({ method: 'GET', path: proxied('metrics') });
    for (const stage of stages.slice(1)) {
      expect(metrics).toMatch(new RegExp(`spillway_pod_stage_seconds_count{pool="\\w+",stage="${stage}"} [1-9]`));
    }
  });

  it('keep conditions, labels and annotations of others, and are ready only when their readiness gates are', async () => {
    await createPod('gated', { readinessGates: [{ conditionType: 'example.com/gate' }] });
    // While Spillway writes the first status.
    const labelled = { metadata: { labels: { 'example.com/by': 'others' }, annotations: { 'example.com/note': '1' } } };
    await admin.resource(pods).patch({ namespace, name: 'gated' }, { type: 'merge', body: labelled });
    const before = await eventually('pod gated to run', async () => {
      const current = await getPod('gated');
      return current.status?.phase === 'Running' && current;
    });
    expect(before.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    });
    const body = { status: { conditions: [{ type: 'example.com/gate', status: 'True' }] } };
    await admin
      .resource(pods)
      .patch({ namespace, name: 'gated' }, { type: 'strategic', body }, { subresource: 'status' });
    const { resourceVersion } = (await ready('gated')).metadata ?? {};
    await admin.resource(pods).delete({ namespace, name: 'gated' });
    const watch = admin.resource(pods).watch({ namespace, fieldSelector: 'metadata.name=gated', resourceVersion });
    let last: Pod | undefined;
    for await (const { type, object } of watch) {
      last = object;
      if (type === 'DELETED') break;
    }
    // After everything that Spillway has ever written to it.
    expect(last).toMatchObject({
      ...labelled,
      spec: { readinessGates: [{ conditionType: 'example.com/gate' }] },
      status: {
        phase: expect.stringMatching(/Succeeded|Failed/) as unknown,
        conditions: expect.arrayContaining([
          expect.objectContaining({ type: 'example.com/gate', status: 'True' }),
        ]) as unknown,
      },
    });
  });

  it('become ready again when somebody else sets them not ready', async () => {
    const before = await ready('web');
    const conditions = before.status?.conditions?.map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False' } : condition,
    );
    await admin
      .resource(pods)
      .patch(
        { namespace, name: 'web' },
        { type: 'strategic', body: { status: { conditions } } },
        { subresource: 'status' },
      );
    await ready('web');
  });

  it('are stopped and removed when they are deleted, with their end recorded before', async () => {
    await createPod('short');
    const { metadata } = await ready('short');
    const phases: (string | undefined)[] = [];
    const watching = (async () => {
      const watch = admin.resource(pods).watch({ namespace, fieldSelector: 'metadata.name=short' });
      for await (const { type, object } of watch) {
        phases.push(object.status?.phase);
        if (type === 'DELETED') return;
      }
    })();
    await admin.resource(pods).delete({ namespace, name: 'short' });
    await watching;
    expect(phases.at(-1)).toMatch(/Failed|Succeeded/);
    expect(await instances()).not.toContain(metadata?.uid);
  });

  it('that are deleted by force leave nothing behind', async () => {
    await createPod('forced');
    const { metadata } = await ready('forced');
    expect(await instances()).toContain(metadata?.uid);
    await admin.resource(pods).delete({ namespace, name: 'forced' }, { gracePeriodSeconds: 0 });
    await eventually('the instance to be gone', async () => !(await instances()).includes(metadata?.uid ?? ''));
  });

  it('may come again under the same name at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      await createPod('again');
      const { metadata } = await ready('again');
      expect(await instances()).toContain(metadata?.uid);
      await admin.resource(pods).delete({ namespace, name: 'again' }, { gracePeriodSeconds: round === 1 ? 0 : 1 });
      await gone('again');
    }
  });

  it('wait for a Secret that is missing, say so, and start when it is there', async () => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'late', key: 'a' } } }];
    await createPod('waits', { containers: [{ name: 'main', image: 'busybox', command: ['sleep', '3600'], env }] });
    const waiting = await eventually('the waiting reason', async () => {
      const current = await getPod('waits');
      return current.status?.containerStatuses?.[0]?.state?.waiting;
    });
    expect(waiting).toMatchObject({ reason: 'CreateContainerConfigError', message: 'secret "late" not found' });
    await eventually('an event', async () => {
      const { items } = await admin.resource(events).list({ namespace, fieldSelector: 'involvedObject.name=waits' });
      return items.length > 0;
    });
    await admin.resource(secrets).create({ metadata: { name: 'late', namespace }, stringData: { a: 'b' } });
    await ready('waits');
  });

  it('say in an event that the ephemeral container of a kubectl debug is not run', async () => {
    const debug = ['debug', 'web', '-n', namespace, '--image=busybox', '--container=debugger', '--', 'true'];
    expect((await cluster.kubectl(debug)).code).toBe(0);
    const selector = 'involvedObject.name=web,reason=NotSupportedByPool';
    const message = await eventually('the event', async () => {
      const { stdout } = await cluster.kubectl([
        'get',
        'events',
        '-n',
        namespace,
        `--field-selector=${selector}`,
        '-o',
        'jsonpath={.items[*].message}',
      ]);
      return stdout !== '' && stdout;
    });
    expect(message).toContain('kubectl exec');
    await ready('web');
  });

  it('that came only because they tolerate everything are not run', async () => {
    await createPod('stray', { tolerations: [{ operator: 'Exists' }] });
    // Its author named the node; that is a wish.
    await ready('stray');
    const { nodeName: _, ...spec } = pod('stray-2', { tolerations: [{ operator: 'Exists' }] }).spec ?? {
      containers: [],
    };
    await admin.resource(pods).create({ metadata: { name: 'stray-2', namespace }, spec });
    const waiting = await eventually('the waiting reason', async () => {
      const current = await getPod('stray-2');
      return current.status?.containerStatuses?.[0]?.state?.waiting;
    });
    expect(waiting?.reason).toBe('NotSupportedByPool');
    await admin.resource(pods).delete({ namespace, name: 'stray-2' });
    await gone('stray-2');
  });

  it('that end are Succeeded or Failed with their exit code, and keep their logs', async () => {
    const container = { name: 'main', image: 'busybox', command: ['sh', '-c', 'echo last words; exit 3'] };
    await createPod('fails', { restartPolicy: 'Never', containers: [container] });
    const failed = await eventually('the end', async () => {
      const current = await getPod('fails');
      return current.status?.phase === 'Failed' && current;
    });
    expect(failed.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(3);
    const { stdout } = await cluster.kubectl(['logs', '-n', namespace, 'fails']);
    expect(stdout).toContain('last words');
  });
});

describe('the process', () => {
  it('killed and started again: what runs is adopted, what ended is reported, what was deleted is removed', async () => {
    const container = { name: 'main', image: 'busybox', command: ['sleep', '4'] };
    await createPod('deleted-meanwhile');
    await createPod('forced-meanwhile');
    await createPod('ends-meanwhile', { restartPolicy: 'Never', containers: [container] });
    // It may have ended before somebody sees it run.
    const ends = await eventually('a container of ends-meanwhile', async () => {
      const current = await getPod('ends-meanwhile');
      return idOf(current) !== undefined && current;
    });
    const before = await Promise.all(['web', 'deleted-meanwhile', 'forced-meanwhile'].map(ready));
    await stop('SIGKILL');
    await admin.resource(pods).delete({ namespace, name: 'deleted-meanwhile' });
    await admin.resource(pods).delete({ namespace, name: 'forced-meanwhile' }, { gracePeriodSeconds: 0 });
    await start();
    await gone('deleted-meanwhile');
    const ended = await eventually('the end', async () => {
      const current = await getPod('ends-meanwhile');
      return current.status?.phase === 'Succeeded' && current;
    });
    expect(idOf(ended)).toBe(idOf(ends));
    const after = await ready('web');
    expect(idOf(after)).toBe(idOf(before[0]));
    expect(after.status?.containerStatuses?.[0]?.restartCount).toBe(0);
    const uids = await eventually('the forgotten instance to be swept', async () => {
      const left = await instances();
      return !left.includes(before[2]?.metadata?.uid ?? '') && left;
    });
    expect(uids).toContain(after.metadata?.uid);
  });

  it('fails a pod whose instance was lost, and does not start it again', async () => {
    await createPod('lost');
    const before = await ready('lost');
    await stop('SIGKILL');
    const kept: unknown = JSON.parse(await readFile(path.join(dir, 'state.json'), 'utf8'));
    const others = (Array.isArray(kept) ? kept : []).filter(
      (entry) => !JSON.stringify(entry).includes(before.metadata?.uid ?? ''),
    );
    await writeFile(path.join(dir, 'state.json'), JSON.stringify(others));
    await start();
    const after = await eventually('the pod to fail', async () => {
      const current = await getPod('lost');
      return current.status?.phase === 'Failed' && current;
    });
    expect(after.status?.reason).toBe('InstanceLost');
    expect(after.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')?.status).toBe('True');
    expect(await instances()).not.toContain(before.metadata?.uid);
  });

  it('has no rights but those that were generated for it', async () => {
    const own = await ownClient();
    const agent = own.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
    const other = own.impersonate({ user: 'system:node:real-node', groups: ['system:nodes'] });
    await admin.resource(secrets).create({ metadata: { name: 'unreferenced', namespace }, stringData: { a: 'b' } });
    await admin.resource(pods).create(pod('elsewhere', { nodeName: 'real-node' }));
    expect((await agent.resource(secrets).get({ namespace, name: 'late' })).data).toEqual({ a: 'Yg==' });
    await refused(agent.resource(secrets).get({ namespace, name: 'unreferenced' }));
    await refused(agent.resource(secrets).list({ namespace }));
    await refused(agent.resource(pods).delete({ namespace, name: 'elsewhere' }));
    const body = { status: { phase: 'Failed' } };
    await refused(
      agent
        .resource(pods)
        .patch({ namespace, name: 'elsewhere' }, { type: 'strategic', body }, { subresource: 'status' }),
    );
    await refused(agent.resource(nodes).patch({ name: nodeName }, { type: 'merge', body: { spec: { taints: [] } } }));
    await refused(own.resource(secrets).get({ namespace, name: 'late' }));
    await refused(own.resource(configMaps).list({}));
    await refused(own.resource(pods).create(pod('own')));
    await refused(other.resource(pods).list({ fieldSelector: 'spec.nodeName=real-node' }));
    await Promise.all([own.close(), agent.close(), other.close()]);
  });

  if (validatingPolicies) {
    it('may patch pods, but of them only its own annotations and gate, and tolerations on its own node', async () => {
      const own = await ownClient();
      const change = (name: string, merged: object): Promise<Pod> =>
        own.resource(pods).patch({ namespace, name }, { type: 'merge', body: merged });
      await refused(change('web', { metadata: { labels: { app: 'taken-over' } } }));
      await refused(change('web', { metadata: { annotations: { a: 'b' } } }));
      await refused(change('web', { metadata: { finalizers: ['example.com/stay'] } }));
      await refused(change('web', { spec: { activeDeadlineSeconds: 1 } }));
      const [container] = (await getPod('web')).spec?.containers ?? [];
      await refused(change('web', { spec: { containers: [{ ...container, image: 'evil' }] } }));
      const { tolerations = [] } = (await getPod('elsewhere')).spec ?? {};
      await refused(change('elsewhere', { spec: { tolerations: [...tolerations, { operator: 'Exists' }] } }));
      await admin.resource(pods).create({
        metadata: { name: 'waiting', namespace, annotations: { 'example.com/note': '1' } },
        spec: { containers: [{ name: 'main', image: 'busybox' }], schedulingGates: [{ name: 'example.com/gate' }] },
      });
      await refused(change('waiting', { metadata: { annotations: { 'example.com/note': null } } }));
      await refused(change('waiting', { spec: { schedulingGates: [] } }));
      await refused(change('waiting', { spec: { nodeSelector: { type: 'virtual-kubelet' } } }));
      const cost = { 'controller.kubernetes.io/pod-deletion-cost': '-100' };
      expect((await change('elsewhere', { metadata: { annotations: cost } })).metadata?.annotations).toMatchObject(
        cost,
      );
      await own.close();
    });
  }

  it('ends with code 0 on SIGTERM, and leaves what runs', async () => {
    const before = await instances();
    expect(await stop('SIGTERM')).toBe(0);
    expect(await instances()).toEqual(before);
    expect(await readFile(logFile, 'utf8')).not.toContain('"level":"error"');
  });
});
