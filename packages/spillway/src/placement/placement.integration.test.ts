import { type Cluster, startCluster } from '@spillway/devcluster';
import {
  deployments,
  type Event,
  events,
  Informer,
  ingresses,
  isConflict,
  isNotFound,
  type JobSpec,
  jobs,
  KubeClient,
  loadKubeconfig,
  nameOf,
  namespaces,
  nodes,
  type Pod,
  pods,
  type PodSpec,
  refOf,
  serviceAccounts,
  services,
  uidOf,
} from '@spillway/kube';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Testbed } from '../../testkit/testbed.ts';
import { parseMetrics } from '../../bench/observe/prometheus.ts';
import { isDeleting, isReady, isTerminalPhase } from '../podspec/pod-facts.ts';
import { type ScheduleProfile, type ScheduleProfileStatus, scheduleProfiles } from './rules/schedule-profile.ts';
import { FakeNode } from './testing/fake-node.ts';

const burstLabel = 'virtual-kubelet.io/burst-to-cci';
const costAnnotation = 'controller.kubernetes.io/pod-deletion-cost';
const virtual = 'virtual-kubelet';
const many = process.env['SPILLWAY_SOAK'] === '1' ? 1000 : 200;

let cluster: Cluster;
let admin: KubeClient;
let testbed: Testbed;
let view: Informer<Pod>;
const stop = new AbortController();
let watching: Promise<void>;
let namespace = '';
let serial = 0;
const started: FakeNode[] = [];
/** Nodes that a pod was ever seen on, by UID. */
const seenOn = new Map<string, Set<string>>();

const note = (pod: Pod): void => {
  const on = pod.spec?.nodeName ?? '';
  if (on !== '') seenOn.set(uidOf(pod), (seenOn.get(uidOf(pod)) ?? new Set()).add(on));
};

beforeAll(async () => {
  // Fake nodes have no heartbeat.
  cluster = await startCluster({
    node: false,
    extraArgs: { 'kube-controller-manager': ['--node-monitor-grace-period=24h'] },
  });
  admin = new KubeClient({
    config: await loadKubeconfig({ paths: [cluster.kubeconfig] }),
    lanes: { default: { qps: Number.POSITIVE_INFINITY, burst: 1, concurrency: 32 } },
  });
  const simulated = { startDelayMs: 0, stopDelayMs: 0 };
  testbed = await Testbed.create({ cluster, backend: 'simulated', maxPods: 2000, simulated });
  await testbed.start();
  view = new Informer({ client: admin, type: pods });
  view.subscribe({ added: note, changed: (_, pod) => note(pod) });
  watching = view.run(stop.signal);
  await view.synced;
});

afterAll(async () => {
  stop.abort();
  await watching;
  await testbed?.stop();
  await admin?.close();
  await cluster?.close();
});

beforeEach(async () => {
  namespace = `placement-${(serial += 1)}`;
  await admin.resource(namespaces).create({ metadata: { name: namespace } });
  await expect
    .poll(async () => (await admin.resource(serviceAccounts).list({ namespace })).items.map(nameOf))
    .toContain('default');
});

afterEach(async () => {
  await admin.resource(namespaces).delete({ name: namespace });
  await expect.poll(() => podsHere()).toEqual([]);
  for (const node of started.splice(0)) await node[Symbol.asyncDispose]();
});

const podsHere = (app?: string): readonly Pod[] =>
  view.store
    .list()
    .filter(
      ({ metadata }) => metadata?.namespace === namespace && (app === undefined || metadata.labels?.['app'] === app),
    );
const on = (list: readonly Pod[], node: string): readonly Pod[] => list.filter(({ spec }) => spec?.nodeName === node);
const bound = (list: readonly Pod[]): readonly Pod[] => list.filter(({ spec }) => (spec?.nodeName ?? '') !== '');
const waits = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'False') === true;

interface Template {
  readonly burst?: string;
  readonly cpu?: string;
  readonly spec?: Partial<PodSpec>;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
}

function template(
  app: string,
  { burst, cpu = '500m', spec, annotations, labels }: Template,
): Required<Pick<Pod, 'metadata' | 'spec'>> {
  return {
    metadata: {
      labels: { app, ...labels, ...(burst === undefined ? {} : { [burstLabel]: burst }) },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu } } }],
      ...spec,
    },
  };
}

/** What admission adds. */
const enforced: Partial<PodSpec> = {
  schedulerName: 'spillway',
  nodeSelector: { type: 'virtual-kubelet' },
  tolerations: [{ key: burstLabel, operator: 'Exists' }],
};
const tolerant: Partial<PodSpec> = {
  tolerations: [{ key: burstLabel, operator: 'Equal', value: 'cci', effect: 'NoSchedule' }],
};

async function createPod(name: string, options: Template): Promise<Pod> {
  const { metadata, spec } = template(name, options);
  return admin.resource(pods).create({ metadata: { ...metadata, name, namespace }, spec });
}

async function deploy(app: string, replicas: number, options: Template): Promise<void> {
  await admin.resource(deployments).create({
    metadata: { name: app, namespace },
    spec: { replicas, selector: { matchLabels: { app } }, template: template(app, options) },
  });
}

async function createJob(name: string, more: Partial<JobSpec> = {}): Promise<void> {
  const pod = template(name, { burst: 'localPrefer', cpu: '100m', spec: { restartPolicy: 'Never' } });
  await admin
    .resource(jobs)
    .create({ metadata: { name, namespace }, spec: { backoffLimit: 0, template: pod, ...more } });
}

async function scale(app: string, replicas: number): Promise<void> {
  await admin.resource(deployments).patch({ namespace, name: app }, { type: 'merge', body: { spec: { replicas } } });
}

const podNamed = (name: string): Pod | undefined => view.store.get(namespace, name);

/** A node of the cluster, until the test's pods are gone. */
async function realNode(cpu: string, more: { mayEnd?: (pod: Pod) => boolean } = {}): Promise<FakeNode> {
  const node = await FakeNode.start({ client: admin, name: realName(), cpu, ...more });
  started.push(node);
  return node;
}

const realName = (): string => `real-${serial}`;

async function allBound(app: string, count: number): Promise<readonly Pod[]> {
  await expect.poll(() => bound(podsHere(app)).length).toBe(count);
  return podsHere(app);
}

async function metric(name: string): Promise<number> {
  const { stdout } = await cluster.kubectl(['get', '--raw', `/api/v1/nodes/${virtual}/proxy/metrics`]);
  return parseMetrics(stdout, name).reduce((sum, { value }) => sum + value, 0);
}

/** A pod that overflows, created now: once it is bound, the binder has had its chance with all before it. */
async function overflowNow(): Promise<void> {
  await createPod('witness', { burst: 'localPrefer', cpu: '60' });
  await expect.poll(() => podNamed('witness')?.spec?.nodeName).toBe(virtual);
}

const eventsHere = async (): Promise<readonly Event[]> => (await admin.resource(events).list({ namespace })).items;

const complaints = async (): Promise<(number | undefined)[]> =>
  (await eventsHere()).filter(({ reason }) => reason === 'FailedScheduling').map(({ count }) => count);

const random = (below: number): number => Math.floor(Math.random() * below);

const isLiving = (pod: Pod): boolean => !isDeleting(pod) && !isTerminalPhase(pod.status?.phase);

const waitingReason = (pod: Pod | undefined): string | undefined =>
  pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason;

/** A thousand pods take a busy machine their time; each look at their events costs it some more. */
const ofThousand = { timeout: 240_000, interval: 500 };

/** 32 at a time. Without grace, so that a thousand are gone quickly. */
async function createPods(count: number, options: Template): Promise<void> {
  const spec = { ...options.spec, terminationGracePeriodSeconds: 0 };
  const names = Array.from({ length: count }, (__, index) => `pod-${index}`).values();
  const create = async (): Promise<void> => {
    for (const name of names) await createPod(name, { ...options, spec });
  };
  await Promise.all(Array.from({ length: 32 }, create));
}

/** Of how many pods scheduler and binder said what. */
async function told(): Promise<Record<string, number>> {
  const said = (await eventsHere()).filter(
    ({ source, involvedObject }) => source?.host === undefined && involvedObject.kind === 'Pod',
  );
  return Object.fromEntries(
    [...new Set(said.map(({ reason }) => reason ?? ''))].map((reason) => [
      reason,
      new Set(said.filter((event) => event.reason === reason).map(({ involvedObject }) => involvedObject.uid)).size,
    ]),
  );
}

const scheduledTwice = async (): Promise<readonly Event[]> =>
  (await eventsHere()).filter(({ reason, count }) => reason === 'Scheduled' && count !== undefined && count > 1);

it(`enforce, ${many} pods: every one is bound to the pool at once, once, and nothing is said but that`, async () => {
  await realNode('100');
  await createPods(many, { burst: 'enforce', cpu: '10m', spec: enforced });
  await expect.poll(() => on(podsHere(), virtual).length, ofThousand).toBe(many);
  await expect.poll(told, ofThousand).toEqual({ Scheduled: many });
  for (const { metadata } of podsHere()) {
    expect(seenOn.get(metadata?.uid ?? '')).toEqual(new Set([virtual]));
    expect(metadata?.annotations).toMatchObject({
      [costAnnotation]: '-100',
      'spillway.dev/burst-policy': `enforce (label ${burstLabel})`,
    });
  }
  expect(await scheduledTwice()).toEqual([]);
  expect(await metric('spillway_placement_events_dropped_total')).toBe(0);
});

it(`localPrefer, ${many + 10} pods: 10 fit on the real node, ${many} overflow, each is bound once, and no event says more`, async () => {
  await realNode('100m');
  await createPods(many + 10, { burst: 'localPrefer', cpu: '10m' });
  await expect.poll(() => bound(podsHere()).length, ofThousand).toBe(many + 10);
  expect(on(podsHere(), realName())).toHaveLength(10);
  expect(on(podsHere(), virtual)).toHaveLength(many);
  // The scheduler drops events when it is busy; we do not.
  await expect
    .poll(told, ofThousand)
    .toMatchObject({ Scheduled: expect.toSatisfy((count) => count >= many && count <= many + 10) });
  await expect.poll(async () => Object.keys(await told()).toSorted()).toEqual(['FailedScheduling', 'Scheduled']);
  for (const pod of podsHere()) expect(seenOn.get(uidOf(pod))?.size).toBe(1);
  expect(await scheduledTwice()).toEqual([]);
  expect(await metric('spillway_placement_events_dropped_total')).toBe(0);
});

it('localPrefer: fills the real node to the last pod that fits, and the rest bursts', async () => {
  await realNode('2');
  await deploy('web', 20, { burst: 'localPrefer' });
  const list = await allBound('web', 20);
  expect(on(list, realName())).toHaveLength(4);
  expect(on(list, virtual)).toHaveLength(16);
  for (const pod of list) expect(seenOn.get(uidOf(pod))?.size).toBe(1);
  await expect
    .poll(() =>
      on(podsHere('web'), virtual).every(({ spec }) => spec?.tolerations?.some(({ key }) => key === burstLabel)),
    )
    .toBe(true);
  await expect.poll(async () => Object.keys(await told()).toSorted()).toEqual(['FailedScheduling', 'Scheduled']);
  await expect.poll(() => metric('spillway_unschedulable_to_bound_seconds_count')).toBeGreaterThanOrEqual(16);
});

it('auto: prefers real nodes, and what neither side has by the scheduler overflows', async () => {
  await realNode('2');
  await deploy('web', 20, { burst: 'auto', spec: tolerant });
  const list = await allBound('web', 20);
  expect(on(list, realName()).length).toBeGreaterThanOrEqual(1);
  expect(on(list, virtual).length).toBeGreaterThanOrEqual(16);
  // Without the toleration that admission writes, the scheduler cannot choose the virtual node and the binder does.
  await deploy('late', 5, { burst: 'auto' });
  expect(on(await allBound('late', 5), virtual).length).toBeGreaterThanOrEqual(1);
});

const balancerWarnings = async (): Promise<string[]> =>
  (await eventsHere())
    .filter(({ reason = '' }) => ['HealthCheckPort', 'SharedListener'].includes(reason))
    .map(({ type, reason, involvedObject }) => `${type} ${reason} ${involvedObject.kind} ${involvedObject.name}`)
    .toSorted();

it('a health-check port is warned of when burst pods come behind it, and when it is set where they are; so is a shared listener', async () => {
  const probing = { 'kubernetes.io/elb.health-check-option': '{"monitor_port":"22"}' };
  const balancer = async (name: string, app: string, annotations: Record<string, string>): Promise<void> => {
    const spec = { type: 'LoadBalancer' as const, selector: { app }, ports: [{ port: 80 }] };
    await admin.resource(services).create({ metadata: { name, namespace, annotations }, spec });
  };
  await realNode('2');
  await balancer('before', 'web', probing);
  await balancer('local', 'local', probing);
  await balancer('after', 'web', { 'kubernetes.io/elb.id': 'elb-1' });
  await admin.resource(ingresses).create({
    metadata: { name: 'front', namespace, annotations: probing },
    spec: { defaultBackend: { service: { name: 'before', port: { number: 80 } } } },
  });
  await deploy('local', 1, {});
  await deploy('web', 2, { burst: 'enforce', spec: enforced });
  const first = ['Warning HealthCheckPort Ingress front', 'Warning HealthCheckPort Service before'];
  await expect.poll(balancerWarnings).toEqual(first);
  await admin
    .resource(services)
    .patch({ namespace, name: 'after' }, { type: 'merge', body: { metadata: { annotations: probing } } });
  await expect
    .poll(balancerWarnings)
    .toEqual([...first.slice(0, 1), 'Warning HealthCheckPort Service after', ...first.slice(1)]);
  await balancer('sharing', 'local', { 'kubernetes.io/elb.id': 'elb-1' });
  await expect.poll(balancerWarnings).toContain('Warning SharedListener Service after');
  expect((await balancerWarnings()).join()).not.toContain('Service local');
});

it('who did not ask, is gated, or is kept from real nodes by something else than room never leaves', async () => {
  await realNode('1');
  await createPod('filler', { cpu: '1' });
  await expect.poll(() => podNamed('filler')?.spec?.nodeName).toBe(realName());
  await createPod('plain', {});
  await createPod('off', { burst: 'off' });
  await createPod('selector', { burst: 'localPrefer', spec: { nodeSelector: { disk: 'ssd' } } });
  await createPod('claim', {
    burst: 'localPrefer',
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'missing' } }] },
  });
  await createPod('gated', {
    burst: 'enforce',
    spec: { ...enforced, schedulingGates: [{ name: 'example.com/hold' }] },
  });
  const names = ['plain', 'off', 'selector', 'claim', 'gated'];
  await expect.poll(() => names.filter((name) => waits(podNamed(name)))).toEqual(names);
  await overflowNow();
  expect(bound(names.flatMap((name) => podNamed(name) ?? []))).toEqual([]);
});

it('a pod for which a preemption is under way stays with the scheduler, so that the victim does not die for nothing', async () => {
  let mayEnd = false;
  const node = await realNode('1', { mayEnd: () => mayEnd });
  const high = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'high' }, value: 1000 };
  expect((await cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(high) })).code).toBe(0);
  await createPod('victim', { cpu: '1', spec: { terminationGracePeriodSeconds: 600 } });
  await expect.poll(() => podNamed('victim')?.status?.phase).toBe('Running');
  await createPod('important', { burst: 'localPrefer', cpu: '1', spec: { priorityClassName: 'high' } });
  await expect.poll(() => podNamed('important')?.status?.nominatedNodeName).toBe(realName());
  await overflowNow();
  expect(podNamed('important')?.spec?.nodeName).toBeUndefined();
  mayEnd = true;
  node.lookAgain();
  await expect.poll(() => podNamed('important')?.spec?.nodeName).toBe(realName());
});

it('pods that must be on hosts of their own burst when the real hosts are used up', async () => {
  await realNode('10');
  const term = { labelSelector: { matchLabels: { app: 'apart' } }, topologyKey: 'kubernetes.io/hostname' };
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  await deploy('apart', 4, { burst: 'localPrefer', spec: { affinity } });
  const list = await allBound('apart', 4);
  expect(on(list, realName())).toHaveLength(1);
  expect(on(list, virtual)).toHaveLength(3);
});

it('a pool that is full makes its pods wait, says why and what to do, and takes them when there is room', async () => {
  await createPod('first', { burst: 'enforce', cpu: '40', spec: enforced });
  await expect.poll(() => podNamed('first')?.spec?.nodeName).toBe(virtual);
  await createPod('second', { burst: 'enforce', cpu: '40', spec: enforced });
  await expect
    .poll(() => podNamed('second')?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message)
    .toBe(
      'Pool simulated: spec.containers: the pool has too little cpu left for the pod. The pod is placed when there is room. The size of the pool is pools[].capacity.cpu in the configuration.',
    );
  await expect.poll(() => metric('spillway_pods_waiting_for_pool')).toBe(1);
  await expect.poll(complaints).toEqual([1]);
  await admin.resource(pods).delete({ namespace, name: 'first' });
  await expect.poll(() => podNamed('second')?.spec?.nodeName).toBe(virtual);
  expect(await complaints()).toEqual([1]);
});

it('scale-in from 20 to 8, ten times, all pods Ready: only burst pods go', async () => {
  await realNode('4');
  await deploy('tide', 8, { burst: 'localPrefer' });
  await allBound('tide', 8);
  const local = new Set(on(podsHere('tide'), realName()).map(nameOf));
  expect(local.size).toBe(8);
  for (let round = 0; round < 10; round += 1) {
    await scale('tide', 20);
    await expect.poll(() => podsHere('tide').filter(isReady).length).toBe(20);
    await scale('tide', 8);
    await expect.poll(() => podsHere('tide').length).toBe(8);
    expect(new Set(podsHere('tide').map(nameOf)), `round ${round}`).toEqual(local);
  }
});

it('scale-in: among Ready pods burst pods go first, but for those whose cost the user has set', async () => {
  await realNode('5');
  await deploy('web', 20, { burst: 'localPrefer' });
  await allBound('web', 20);
  await expect.poll(() => podsHere('web').filter(isReady).length).toBe(20);
  const local = on(podsHere('web'), realName());
  expect(local).toHaveLength(10);
  const [precious] = on(podsHere('web'), virtual);
  const ref = { namespace, name: nameOf(precious ?? {}) };
  const annotations = { [costAnnotation]: '1000' };
  await admin.resource(pods).patch(ref, { type: 'merge', body: { metadata: { annotations } } });
  await scale('web', 11);
  await expect.poll(() => podsHere('web').length).toBe(11);
  expect(new Set(podsHere('web').map(nameOf))).toEqual(new Set([...local.map(nameOf), ref.name]));
  await scale('web', 8);
  await expect.poll(() => podsHere('web').length).toBe(8);
  // There were no others left than local ones and that of the user.
  expect(podsHere('web').map(nameOf)).toContain(ref.name);
  await expect.poll(() => metric('spillway_scale_ins_total')).toBeGreaterThanOrEqual(2);
  expect(await metric('spillway_scale_in_misses_total')).toBe(0);
});

it("a pod that the scheduler itself put on the pool gets its deletion cost when it runs, and keeps its user's", async () => {
  await deploy('plain', 1, { burst: 'auto', spec: { ...tolerant, nodeSelector: { type: 'virtual-kubelet' } } });
  await expect
    .poll(() => podsHere('plain').map(({ metadata }) => metadata?.annotations?.[costAnnotation]))
    .toEqual(['-100']);
  const spec = { ...tolerant, nodeSelector: { type: 'virtual-kubelet' } };
  await deploy('own', 1, { burst: 'auto', spec, annotations: { [costAnnotation]: '5' } });
  await expect.poll(() => podsHere('own').filter(isReady).length).toBe(1);
  expect(podsHere('own').map(({ metadata }) => metadata?.annotations?.[costAnnotation])).toEqual(['5']);
});

/** By the hand of somebody, or by itself where its node is a fake one. */
async function die(pod: Pod): Promise<void> {
  const uid = uidOf(pod);
  const resource = admin.resource(pods);
  try {
    if (pod.spec?.nodeName === realName() && random(2) === 0) {
      const body = { metadata: { uid }, status: { phase: 'Failed' } };
      await resource.patch(refOf(pod), { type: 'merge', body }, { subresource: 'status' });
    } else await resource.delete(refOf(pod), { preconditions: { uid } });
  } catch (error) {
    // It is gone already.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** A profile that lets five pods of `web` run on real nodes. */
async function fiveLocal(): Promise<void> {
  await admin.resource(scheduleProfiles).create({
    metadata: { name: 'web', namespace },
    spec: {
      objectLabels: { matchLabels: { app: 'web' } },
      strategy: 'localPrefer',
      location: { local: { maxNum: 5, scaleDownPriority: 10 }, cci: { scaleDownPriority: 100 } },
    },
  });
}

const statusOfWeb = async (): Promise<ScheduleProfileStatus> =>
  (await admin.resource(scheduleProfiles).get({ namespace, name: 'web' })).status ?? {};

/** What admission adds to pods of a profile with limits. */
const gated: Partial<PodSpec> = { schedulingGates: [{ name: 'spillway.dev/schedule-profile' }] };

it('a profile: never more than its 5 pods on real nodes, however its 20 replicas are scaled, 50 times, and its pods die', async () => {
  await realNode('50');
  await fiveLocal();
  let most = 0;
  const count = (): void => {
    const local = on(podsHere('web'), realName()).filter(({ status }) => !isTerminalPhase(status?.phase));
    most = Math.max(most, local.length);
  };
  const watch = view.subscribe({ added: count, changed: count, deleted: count });
  await deploy('web', 20, { burst: 'localPrefer', cpu: '10m', spec: gated });
  await allBound('web', 20);
  expect(on(podsHere('web'), realName())).toHaveLength(5);
  for (let round = 0; round < 50; round += 1) {
    const replicas = 1 + random(20);
    await scale('web', replicas);
    const living = podsHere('web').filter(isLiving);
    const victims = new Set([living[random(living.length)], living[random(living.length)]]);
    await Promise.all([...victims].flatMap((pod) => (pod === undefined ? [] : [die(pod)])));
    // Every other time the next change comes while this one is under way.
    if (round % 2 === 0) await expect.poll(() => bound(podsHere('web').filter(isLiving)).length).toBe(replicas);
  }
  // Until a local pod that is on its way out is gone, its successor bursts. So that all places are free or taken:
  await scale('web', 1);
  await expect
    .poll(async () => ((await statusOfWeb()).local?.pods ?? 0) + ((await statusOfWeb()).cci?.pods ?? 0))
    .toBe(1);
  await scale('web', 12);
  const settled = (): readonly Pod[] => podsHere('web').filter((pod) => isLiving(pod) && isReady(pod));
  await expect.poll(() => settled().length).toBe(12);
  watch[Symbol.dispose]();
  expect(most).toBe(5);
  expect(on(settled(), realName())).toHaveLength(5);
  await expect
    .poll(statusOfWeb)
    .toMatchObject({ local: { pods: 5 }, cci: { pods: 7 }, waiting: { pods: 0 }, uncounted: { pods: 0 } });
  await expect
    .poll(() =>
      settled()
        .map(({ metadata }) => metadata?.annotations?.[costAnnotation] ?? '')
        .toSorted(),
    )
    .toEqual([...Array.from({ length: 5 }, () => '-10'), ...Array.from({ length: 7 }, () => '-100')]);
});

it('a profile: pods with a local place for which real nodes have no room burst, and count where they are', async () => {
  await realNode('1');
  await fiveLocal();
  await deploy('web', 8, { burst: 'localPrefer', spec: gated });
  const list = await allBound('web', 8);
  expect(on(list, realName())).toHaveLength(2);
  await expect
    .poll(statusOfWeb)
    .toMatchObject({ local: { pods: 2 }, cci: { pods: 6 }, waiting: { pods: 0 }, uncounted: { pods: 0 } });
  const costs = (node: string): Set<string | undefined> =>
    new Set(on(podsHere('web'), node).map(({ metadata }) => metadata?.annotations?.[costAnnotation]));
  await expect.poll(() => costs(virtual)).toEqual(new Set(['-100']));
  expect(costs(realName())).toEqual(new Set(['-10']));
});

/** What profiles say that lose. */
const overridden = async (): Promise<object[]> =>
  (await eventsHere())
    .filter(({ reason }) => reason === 'Overridden')
    .map(({ involvedObject, message, count }) => ({ [involvedObject.name ?? '']: message, count }));
const says = (why: string): string =>
  `Profile "old" matches the same pods and ${why}; it applies to them, and this profile does not.`;

it('two profiles for one pod: each that loses says so once, to which other one, and why', async () => {
  await realNode('2');
  const profiles = admin.resource(scheduleProfiles);
  const create = (name: string, matchLabels: Record<string, string>): Promise<ScheduleProfile> =>
    profiles.create({
      metadata: { name, namespace },
      spec: { objectLabels: { matchLabels }, strategy: 'localPrefer', location: { local: { maxNum: 1 } } },
    });
  await create('wide', { app: 'web' });
  const { metadata } = await create('old', { app: 'web', tier: 'front' });
  await expect.poll(() => new Date().toISOString().slice(0, 19)).not.toBe(metadata?.creationTimestamp?.slice(0, 19));
  await create('late', { tier: 'front', app: 'web' });
  await deploy('web', 3, { cpu: '10m', labels: { tier: 'front' } });
  await scale('web', 5);
  await allBound('web', 5);
  await expect.poll(overridden).toHaveLength(2);
  expect(await overridden()).toEqual(
    expect.arrayContaining([
      { wide: says('has more labels (2, this one 1)'), count: 1 },
      { late: says('has as many labels and is older'), count: 1 },
    ]),
  );
  await expect
    .poll(async () =>
      Object.fromEntries(
        (await profiles.list({ namespace })).items.map((profile) => [
          nameOf(profile),
          profile.status?.conditions?.find(({ type }) => type === 'Overridden')?.status,
        ]),
      ),
    )
    .toEqual({ wide: 'True', old: 'False', late: 'True' });
});

it('sold out: pods that may run elsewhere are taken back and their successors go local; bare and enforce pods wait', async () => {
  // Where webhooks carry the rules, Spillway has to run when such a pod is created.
  const held = { ...enforced, schedulingGates: [{ name: 'example.com/hold' }] };
  await createPod('enforced', { burst: 'enforce', spec: held });
  await testbed.stop();
  // All are bound before the pool learns that it is sold out, and closes.
  const soldOut = { latency: { create: 4000 }, faults: [{ on: 'create', fails: 'soldOut' }] } as const;
  testbed = await Testbed.create({
    cluster,
    backend: 'simulated',
    simulated: { scenario: soldOut },
    placement: { soldOutPatienceSeconds: 2 },
  });
  await realNode('1');
  await createPod('filler', { cpu: '1' });
  await expect.poll(() => podNamed('filler')?.spec?.nodeName).toBe(realName());
  await deploy('web', 1, { burst: 'localPrefer', cpu: '500m' });
  await createJob('job');
  const ignored = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] };
  await createJob('patient-job', { podFailurePolicy: { rules: [ignored] } });
  await createPod('bare', { burst: 'localPrefer', cpu: '2' });
  const release = { type: 'merge', body: { spec: { schedulingGates: null } } } as const;
  await admin.resource(pods).patch({ namespace, name: 'enforced' }, release);
  await expect
    .poll(() =>
      podsHere()
        .filter(waits)
        .map(({ metadata }) => metadata?.labels?.['app']),
    )
    .toContain('web');
  await testbed.start();
  await expect.poll(() => podsHere('web').map(waitingReason)).toEqual(['SoldOut']);
  const [first] = podsHere('web');
  const disrupted = Promise.withResolvers<Pod>();
  const watch = view.subscribe({
    changed: (__, pod) => {
      if (uidOf(pod) === uidOf(first ?? {}) && isDeleting(pod)) disrupted.resolve(pod);
    },
  });
  await admin.resource(pods).delete({ namespace, name: 'filler' });
  const { status } = await disrupted.promise;
  watch[Symbol.dispose]();
  expect(status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'NoRoomInPool' }),
  );
  await expect
    .poll(() =>
      podsHere('web')
        .filter(isReady)
        .map(({ spec }) => spec?.nodeName),
    )
    .toEqual([realName()]);
  const failures = async (name: string): Promise<number> =>
    (await admin.resource(jobs).get({ namespace, name })).status?.failed ?? 0;
  // A deletion is a failure of a Job's pod, unless the Job ignores disruptions.
  await expect.poll(() => failures('job')).toBe(1);
  await expect.poll(() => podsHere('patient-job').map(({ spec }) => spec?.nodeName)).toEqual([realName()]);
  expect(await failures('patient-job')).toBe(0);
  const node = await admin.resource(nodes).get({ name: virtual });
  expect(node.spec?.taints?.map(({ key }) => key)).toContain('bursting.cci.io/no-schedule');
  expect(['bare', 'enforced'].map((name) => isDeleting(podNamed(name) ?? {}))).toEqual([false, false]);
});

const annotated = (): readonly Pod[] =>
  podsHere('web').filter(({ metadata }) => metadata?.annotations?.['spillway.dev/not-burstable'] !== undefined);

const saidToBeDeleted = async (): Promise<Set<string | undefined>> => {
  const deletions = (await eventsHere()).filter(({ message }) => message?.includes('is deleted') === true);
  return new Set(deletions.map(({ involvedObject }) => involvedObject.uid));
};

it('a pod that its pool does not run is given back when it could be elsewhere; bare and enforce pods stay; nothing goes round in circles', async () => {
  await testbed.stop();
  testbed = await Testbed.create({ cluster, backend: 'simulated', sizing: 'cci' });
  await testbed.start();
  // A container without CPU has no size there; who tolerates the taint comes all the same.
  const containers = [{ name: 'main', image: 'busybox' }];
  await deploy('web', 3, { spec: { ...tolerant, containers } });
  await createPod('bare', { spec: { ...tolerant, containers } });
  await createPod('enforced', { burst: 'enforce', spec: { ...enforced, nodeName: virtual, containers } });
  const allHere = (): readonly (string | undefined)[] => podsHere().map(waitingReason);
  await expect.poll(allHere).toEqual(Array.from({ length: 5 }, () => 'NotSupportedByPool'));
  const before = podsHere('web').map(uidOf);

  await realNode('4');
  await expect
    .poll(() => podsHere('web').filter((pod) => !before.includes(uidOf(pod)) && isLiving(pod)).length, ofThousand)
    .toBe(3);
  await expect.poll(saidToBeDeleted).toEqual(new Set(before));
  // Nobody asks the pools at admission here: what comes to the virtual node again stays, and says so.
  await expect
    .poll(() => podsHere('web').filter((pod) => isLiving(pod) && isReady(pod)).length + annotated().length)
    .toBe(3);
  const after = podsHere('web').filter(isLiving).map(uidOf).toSorted();
  const requests = { cpu: '8', memory: '16Gi' };
  const sized = [{ name: 'main', image: 'busybox', resources: { requests } }];
  await createPod('witness', { burst: 'localPrefer', spec: { containers: sized } });
  await expect.poll(() => podNamed('witness')?.spec?.nodeName).toBe(virtual);
  expect(podsHere('web').filter(isLiving).map(uidOf).toSorted()).toEqual(after);
  expect(['bare', 'enforced'].map((name) => isDeleting(podNamed(name) ?? {}))).toEqual([false, false]);
});
