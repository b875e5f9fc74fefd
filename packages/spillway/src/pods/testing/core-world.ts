import { offered } from '../../backends/testing/offered.ts';
import { PassThrough } from 'node:stream';
import { type Pod, type PodSpec, silentLogger, TransportError, type KubeClient } from '@spillway/kube';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type Instance,
  type InstanceRef,
  type Notice,
  type Workload,
} from '../../backends/backend.ts';
import { FaultyBackend, type WholeBackend } from '../../backends/simulated/faulty-backend.ts';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import { seededRandom } from '../../backends/simulated/seeded-random.ts';
import { SimulatedBackend } from '../../backends/simulated/simulated-backend.ts';
import { simulatedSupport } from '../../backends/simulated/simulated-support.ts';
import { SimulatedRegion } from '../../backends/simulated/simulated-region.ts';
import type { PoolOffer } from '../../podspec/fit/fit.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import { instanceRef, isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { podController } from '../assemble.ts';
import type { PodController } from '../pod-controller.ts';
import { Preparation } from '../../pool/preparation.ts';
import { FakePodsApi } from './fake-pods-api.ts';
import { startOfTime } from './objects.ts';
import { TestTiming } from './test-timing.ts';

const owner = { clusterId: 'cluster', nodeName: 'virtual-kubelet' };
const asWritten: PoolOffer = { support: simulatedSupport, sizing: 'none' };

/** Commands that the simulated backend understands, each with what it ends with; undefined: it does not end by itself. */
export const workloads = {
  forever: { spec: { restartPolicy: 'Always' }, command: 'sleep 1000000', exitCode: undefined },
  job: { spec: { restartPolicy: 'Never' }, command: 'sleep 20; exit 0', exitCode: 0 },
  failing: { spec: { restartPolicy: 'Never' }, command: 'sleep 3; exit 7', exitCode: 7 },
  retried: { spec: { restartPolicy: 'OnFailure' }, command: 'sleep 5; exit 1', exitCode: undefined },
} as const;

export type WorkloadName = keyof typeof workloads;

/** What one UID has been through on the backend, whatever the core knows of it. */
interface Trace {
  starts: number;
  ran: boolean;
  /** Was told to stop, or removed: then it does not end by itself. */
  interrupted: boolean;
  exitCode: number | undefined;
}

export interface WorldOptions {
  /** Other than the simulated backend's. */
  readonly capabilities?: Partial<Capabilities>;
  /** Other than the simulated backend's, as written. */
  readonly offer?: PoolOffer;
  /** What a call of the API server takes at most. Default: 0, no time. */
  readonly apiLatencyMs?: number;
  /** Default: a day. */
  readonly keepEndedMs?: number;
}

/**
 * A whole node: the real core on a rehearsed backend and a fake API server, under one clock. The process can die at any
 * time; what it has sent by then may still arrive. Every act on the backend is checked when it is done.
 */
export class CoreWorld {
  readonly timing: TestTiming = new TestTiming(startOfTime);
  readonly api: FakePodsApi;
  readonly backend: FaultyBackend;
  readonly traces: Map<string, Trace> = new Map();
  /** Deleted without grace, or ended by others: nothing is promised about their end. */
  readonly abandoned: Set<string> = new Set();
  /** The backend is asked to stop an instance. */
  onStop: ((graceSeconds: number) => void) | undefined;
  /** The backend answers for another project, or from a cache that is empty, and says that its listing is complete. */
  showsNothing = false;
  /** The first thing that should not have happened. */
  violation: string | undefined;
  readonly notices: { readonly ref: InstanceRef; readonly notice: Notice }[] = [];
  readonly nodeNotices: Notice[] = [];
  /** Why the pool takes no pods, or `open`: each time that it was told. */
  readonly pool: string[] = [];
  /** Seconds that each pod took to become Ready, as they were measured. */
  readonly ready: number[] = [];
  /** What was created, by UID. */
  readonly #workloads = new Map<string, Workload>();
  readonly #region: SimulatedRegion;
  readonly #simulated: SimulatedBackend;
  readonly #capabilities: Partial<Capabilities>;
  readonly #offer: PoolOffer;
  readonly #keepEndedMs: number;
  readonly #random: () => number;
  #process: Process | undefined;
  readonly #ending: Promise<void>[] = [];
  #serial = 0;
  #deceptions = 0;

  constructor(
    scenario: Scenario = {},
    { capabilities = {}, offer = asWritten, apiLatencyMs = 0, keepEndedMs = 86_400_000 }: WorldOptions = {},
  ) {
    this.#offer = offer;
    this.#capabilities = capabilities;
    this.#keepEndedMs = keepEndedMs;
    this.#random = seededRandom((scenario.seed ?? 1) + 2);
    const travels = seededRandom((scenario.seed ?? 1) + 3);
    this.api = new FakePodsApi(async () => {
      if (apiLatencyMs > 0) await this.timing.sleep(Math.round((travels() * apiLatencyMs) / 2));
    });
    this.#region = new SimulatedRegion({
      options: { scenario, startDelayMs: 300, stopDelayMs: 100 },
      logger: silentLogger,
      clock: this.timing,
    });
    this.#simulated = new SimulatedBackend({ region: this.#region, owner });
    this.backend = new FaultyBackend({ backend: this.#watched(), scenario, clock: this.timing });
  }

  // --- users

  create(name: string, workload: WorkloadName = 'forever', more: Partial<PodSpec> = {}): Pod {
    this.#serial += 1;
    const { spec, command } = workloads[workload];
    const podSpec: PodSpec = {
      ...spec,
      nodeName: owner.nodeName,
      terminationGracePeriodSeconds: 5,
      containers: [{ name: 'app', image: 'centos', command: ['sh', '-c', command] }],
      ...more,
    };
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'default',
        uid: `${name}-${this.#serial}`,
        generation: 1,
        creationTimestamp: new Date(this.timing.now()).toISOString(),
        labels: { workload },
      },
      spec: podSpec,
      status: { phase: 'Pending' },
    };
    if (this.api.get(name) === undefined) this.api.create(pod);
    return pod;
  }

  delete(name: string, graceSeconds = 5): void {
    const uid = this.api.get(name)?.metadata?.uid;
    if (graceSeconds === 0 && uid !== undefined) this.abandoned.add(uid);
    this.api.delete(name, graceSeconds, this.timing.now());
  }

  /** Gives it another image, and a label. */
  edit(name: string, image: string): void {
    this.api.change(name, (pod) => {
      if (isDeleting(pod) || pod.spec === undefined) return pod;
      const { generation = 0, labels } = pod.metadata ?? {};
      const containers = pod.spec.containers.map((container) => ({ ...container, image }));
      return {
        ...pod,
        metadata: { ...pod.metadata, generation: generation + 1, labels: { ...labels, image } },
        spec: { ...pod.spec, containers },
      };
    });
  }

  /** Somebody else ends the pod. */
  evict(name: string): void {
    this.api.change(name, (pod) => {
      if (isTerminalPhase(pod.status?.phase)) return pod;
      this.abandoned.add(pod.metadata?.uid ?? '');
      return { ...pod, status: { ...pod.status, phase: 'Failed', reason: 'Evicted' } };
    });
  }

  // --- the process

  get running(): boolean {
    return this.#process !== undefined;
  }

  get controller(): PodController | undefined {
    return this.#process?.controller;
  }

  start(): void {
    this.#process ??= this.#newProcess();
  }

  /** As kill -9: nothing more is sent or heard; what was sent goes on. */
  crash(): void {
    this.#process?.cut();
    this.#process = undefined;
  }

  /** As SIGTERM. */
  stop(): void {
    this.#process?.stop();
    this.#process = undefined;
  }

  async advance(ms: number): Promise<void> {
    await this.timing.advance(ms);
    const { instances } = await this.#simulated.list();
    for (const instance of instances) this.#seen(instance);
    const uids = new Set(instances.map(({ ref }) => ref.uid));
    if (uids.size < instances.length) this.#violate('two instances of one UID run');
    this.#look();
  }

  /**
   * From now on everything works. What must hold has to hold in the end, and to stay so.
   *
   * @throws when it does not, after more time than all that is promised may take
   */
  async settle(): Promise<void> {
    this.backend.change({});
    this.api.away = false;
    if (this.api.elsewhere) this.api.elsewhere = false;
    this.showsNothing = false;
    this.start();
    let goodMinutes = 0;
    for (let minute = 0; minute < 30 && goodMinutes < 3; minute += 1) {
      await this.advance(60_000);
      goodMinutes = (await this.wrong()) === undefined ? goodMinutes + 1 : 0;
    }
    const wrong = await this.wrong();
    if (wrong !== undefined) throw new Error(wrong);
  }

  /** Everything stops. @throws when something of the core does not */
  async close(): Promise<void> {
    this.stop();
    await this.advance(60_000);
    let settled = false;
    void Promise.all(this.#ending).then(() => (settled = true));
    await this.advance(0);
    if (!settled) throw new Error('a stopped process does not end');
    await this.#simulated.close();
  }

  /** What a process in the container `app` reads. */
  async readFile(ref: InstanceRef, path: string): Promise<string> {
    const stdout = new PassThrough();
    const { signal } = new AbortController();
    await this.backend.exec(ref, 'app', ['cat', path], offered({ tty: false, stdout }), signal);
    return String(stdout.read());
  }

  async instances(): Promise<readonly Instance[]> {
    const { instances } = await this.#simulated.list();
    return instances;
  }

  /** What does not hold, although it must when everything has settled. */
  async wrong(): Promise<string | undefined> {
    if (this.violation !== undefined) return this.violation;
    const instances = await this.instances();
    for (const { ref } of instances) {
      if (!this.api.byUid(ref.uid)) return `the instance of ${ref.uid} is left without its pod`;
    }
    for (const pod of this.api.all) {
      const wrong = wrongWith(
        pod,
        instances.find(({ ref }) => ref.uid === pod.metadata?.uid),
      );
      if (wrong !== undefined) return wrong;
    }
    if (this.#keepEndedMs <= 60_000) {
      for (const { ref } of instances) {
        const phase = this.api.byUid(ref.uid)?.status?.phase;
        if (isTerminalPhase(phase)) return `${ref.uid} has ended, and its instance is kept`;
      }
    }
    for (const [uid, { exitCode, interrupted }] of this.traces) {
      if (exitCode === undefined || interrupted || this.abandoned.has(uid)) continue;
      const { status } = this.api.last.get(uid) ?? {};
      const recorded = status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
      if (!isTerminalPhase(status?.phase) || recorded !== exitCode) {
        return `${uid} ended with ${exitCode}, recorded as ${String(status?.phase)} ${String(recorded)}`;
      }
    }
    for (const [uid, pod] of this.api.last) {
      if (this.api.byUid(uid) || this.abandoned.has(uid) || isTerminalPhase(pod.status?.phase)) continue;
      return `${uid} left the cluster as ${String(pod.status?.phase)}`;
    }
    return undefined;
  }

  /** The backend's watch says that its instance is gone, whatever is true. */
  tellGone(name: string): void {
    const pod = this.api.get(name);
    if (pod) this.#region.hub(owner).gone(instanceRef(pod));
  }

  /** A create that was given up arrives after all, at a backend that does not look what is there. */
  async createAnother(name: string): Promise<void> {
    const workload = this.#workloads.get(this.api.get(name)?.metadata?.uid ?? '');
    if (workload) await this.#region.createAnother(owner, workload);
  }

  /** Three times at most, and for less than the time after which that would be believed. */
  showNothingFor(ms: number): void {
    if (this.showsNothing || this.#deceptions === 3) return;
    this.#deceptions += 1;
    this.showsNothing = true;
    this.timing.after(ms, () => (this.showsNothing = false));
  }

  /** Where nobody deletes the pod. */
  #endIsTold(uid: string): boolean {
    const pod = this.api.byUid(uid);
    const { exitCode, interrupted } = this.#trace(uid);
    if (pod === undefined || isDeleting(pod) || interrupted || this.abandoned.has(uid)) return true;
    return pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode === exitCode;
  }

  #violate(what: string): void {
    this.violation ??= what;
  }

  #look(): void {
    for (const pod of this.api.all) {
      const { uid } = instanceRef(pod);
      if (pod.status?.reason === 'InstanceLost') this.#violate(`${uid} counts as lost, but nobody took its instance`);
    }
  }

  #trace(uid: string): Trace {
    const known = this.traces.get(uid);
    if (known) return known;
    const fresh: Trace = { starts: 0, ran: false, interrupted: false, exitCode: undefined };
    this.traces.set(uid, fresh);
    return fresh;
  }

  async #has(uid: string): Promise<Instance | undefined> {
    const { instances } = await this.#simulated.list();
    const found = instances.find(({ ref }) => ref.uid === uid);
    if (found) this.#seen(found);
    return found;
  }

  /** The simulated backend, watched at every act. */
  #watched(): WholeBackend {
    const inner = this.#simulated;
    const mayEnd = (uid: string): boolean => {
      const pod = this.api.byUid(uid);
      return pod === undefined || isDeleting(pod) || isTerminalPhase(pod.status?.phase);
    };
    return {
      capabilities: { ...inner.capabilities, ...this.#capabilities },
      support: this.#offer.support,
      prepare: () => inner.prepare(),
      create: async (workload) => {
        const { uid } = workload.ref;
        this.#workloads.set(uid, workload);
        const trace = this.#trace(uid);
        if ((await this.#has(uid)) === undefined) {
          trace.starts += 1;
          // Sent before the pod's end was known, perhaps by a process that is dead: its end is nobody's.
          if (mayEnd(uid)) this.abandoned.add(uid);
          if (trace.ran) this.#violate(`${uid} has run, and is started again`);
        }
        await inner.create(workload);
      },
      stop: async (ref, options) => {
        this.onStop?.(options.graceSeconds);
        const instance = await this.#has(ref.uid);
        if (instance && !mayEnd(ref.uid)) this.#violate(`${ref.uid} should run, and is stopped`);
        if (instance && instance.state !== 'ended') this.#trace(ref.uid).interrupted = true;
        await inner.stop(ref, options);
      },
      update: (ref, change) => inner.update(ref, change),
      remove: async (ref) => {
        const instance = await this.#has(ref.uid);
        if (instance && !mayEnd(ref.uid)) this.#violate(`${ref.uid} should run, and is removed`);
        if (instance && !this.#endIsTold(ref.uid))
          this.#violate(`the end of ${ref.uid} is not told, and it is removed`);
        if (instance && instance.state !== 'ended') this.#trace(ref.uid).interrupted = true;
        await inner.remove(ref);
      },
      list: async () => (this.showsNothing ? { complete: true, instances: [] } : await inner.list()),
      watch: (signal) => inner.watch(signal),
      logs: (...args) => inner.logs(...args),
      exec: (...args) => inner.exec(...args),
      attach: (...args) => inner.attach(...args),
      portForward: (...args) => inner.portForward(...args),
      usage: () => inner.usage(),
      capacity: () => inner.capacity(),
      ping: () => inner.ping(),
      close: () => inner.close(),
    };
  }

  #seen({ ref, state, containerStatuses }: Instance): void {
    const trace = this.#trace(ref.uid);
    const status = containerStatuses[0];
    if (status?.state?.running || status?.state?.terminated) trace.ran = true;
    if (state === 'ended' && !trace.interrupted) trace.exitCode = status?.state?.terminated?.exitCode;
  }

  #newProcess(): Process {
    const link = new Link();
    const backend = link.backend(this.backend);
    const sleep = (ms: number, signal: AbortSignal): Promise<void> => this.timing.sleep(ms, signal);
    const preparation = new Preparation({ backend, onError: () => {}, sleep, onPrepared: () => controller.retryAll() });
    const facts = { hostIPs: ['10.0.0.1'], allocatable: {}, dns: { clusterServers: [], clusterDomain: '' } };
    const client = link.client(this.api.client());
    const controller = podController({
      node: {
        name: owner.nodeName,
        taints: [],
        labels: {},
        sizing: this.#offer.sizing,
        daemonSets: 'placeholder',
        facts: () => facts,
      },
      cluster: {
        agent: client,
        controller: client,
        confirm: async () => {
          if (this.api.away) throw new TransportError('unreachable', 'the API server is away');
          return !this.api.elsewhere;
        },
      },
      backend,
      preparation,
      blockade: { refused: (kind) => this.pool.push(kind), accepted: () => this.pool.push('open') },
      told: {
        record: (ref, notice) => this.notices.push({ ref, notice }),
        recordOnNode: (notice) => this.nodeNotices.push(notice),
        ledger: undefined,
        metrics: { ...silentMetrics, podReady: ({ totalSeconds }) => this.ready.push(totalSeconds) },
        logger: { ...silentLogger, error: (fields, message) => this.#logged(fields, message) },
      },
      sweep: { graceMs: 30_000 },
      keepEndedMs: this.#keepEndedMs,
      timing: this.timing,
      random: this.#random,
    });
    const ended = Promise.all([controller.run(link.signal), preparation.run(link.signal)]);
    this.#ending.push(ended.then(() => undefined));
    return { controller, cut: () => link.cut(), stop: () => link.stop() };
  }

  #logged(fields: object, message: string): void {
    if (/defect|nobody foresaw/.test(message)) this.#violate(`${message}: ${String(Reflect.get(fields, 'err'))}`);
  }
}

interface Process {
  readonly controller: PodController;
  readonly cut: () => void;
  readonly stop: () => void;
}

/** What connects one process with the world. */
class Link {
  readonly #stopping = new AbortController();
  readonly #cut = new AbortController();
  readonly #severed = Promise.withResolvers<never>();

  constructor() {
    this.#severed.promise.catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  stop(): void {
    this.#stopping.abort();
  }

  cut(): void {
    this.#cut.abort();
    this.#severed.reject(new BackendError('unavailable', 'the process is dead'));
    this.#stopping.abort();
  }

  /** What was sent goes on when the process is dead, but it does not hear the answer. */
  async send<T>(call: () => Promise<T>): Promise<T> {
    if (this.#cut.signal.aborted) throw new BackendError('unavailable', 'the process is dead');
    return await Promise.race([call(), this.#severed.promise]);
  }

  backend(backend: FaultyBackend): Backend {
    const forever = new AbortController().signal;
    return {
      capabilities: backend.capabilities,
      support: backend.support,
      prepare: () => this.send(() => backend.prepare(forever)),
      create: (workload) => this.send(() => backend.create(workload, forever)),
      stop: (ref, options) => this.send(() => backend.stop(ref, options, forever)),
      update: (ref, change) => this.send(() => backend.update(ref, change, forever)),
      withdraw: (ref) => this.send(() => backend.withdraw(ref, forever)),
      remove: (ref) => this.send(() => backend.remove(ref, forever)),
      list: (signal) => this.send(() => backend.list(signal)),
      watch: (signal) => backend.watch(AbortSignal.any([signal, this.#cut.signal])),
      usage: (signal) => backend.usage(signal),
      capacity: (signal) => backend.capacity(signal),
      ping: (signal) => backend.ping(signal),
      close: async () => {},
    };
  }

  client(client: Pick<KubeClient, 'resource'>): Pick<KubeClient, 'resource'> {
    const { resource } = client;
    return {
      resource: (type) => {
        const real = resource(type);
        return {
          ...real,
          list: (options) => this.send(() => real.list(options)),
          patch: (ref, patch, options) => this.send(() => real.patch(ref, patch, options)),
          delete: (ref, options) => this.send(() => real.delete(ref, options)),
        };
      },
    };
  }
}

const silentMetrics = {
  stepTaken: () => {},
  podReady: () => {},
  operationStarted: () => {},
  operationEnded: () => {},
  statusWritten: () => {},
  listed: () => {},
  instances: () => {},
  orphans: () => {},
  orphanRemoved: () => {},
  doubleEnded: () => {},
};

function wrongWith(pod: Pod, instance: Instance | undefined): string | undefined {
  const { uid } = instanceRef(pod);
  const { phase } = pod.status ?? {};
  if (isDeleting(pod)) return `${uid} stays Terminating`;
  if (phase === 'Pending') return `${uid} stays Pending`;
  if (phase === 'Running' && instance?.state !== 'running') return `${uid} is Running, but does not run`;
  if (phase === 'Running' && instance?.revision !== revisionOf(pod)) return `${uid} is not what its author wants now`;
  if (phase === 'Running' && pod.status?.observedGeneration !== pod.metadata?.generation)
    return `${uid} is not observed`;
  if (isTerminalPhase(phase) && instance && instance.state !== 'ended')
    return `${uid} has ended, but its instance is ${instance.state}`;
  return undefined;
}
