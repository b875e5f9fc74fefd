import { offered } from '../../backends/testing/offered.ts';
import { PassThrough } from 'node:stream';
import { type Pod, type PodSpec, silentLogger } from '@spillway/kube';
import type { Capabilities, Instance, InstanceRef, Listing, Notice, Owner } from '../../backends/backend.ts';
import { FaultyBackend } from '../../backends/simulated/faulty-backend.ts';
import type { Scenario } from '../../backends/simulated/scenario.ts';
import { seededRandom } from '../../backends/simulated/seeded-random.ts';
import { SimulatedBackend } from '../../backends/simulated/simulated-backend.ts';
import { simulatedSupport } from '../../backends/simulated/simulated-support.ts';
import { SimulatedRegion } from '../../backends/simulated/simulated-region.ts';
import type { PoolOffer } from '../../podspec/fit/fit.ts';
import { instanceRef, isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { PodController } from '../pod-controller.ts';
import { CoreProcess } from './core-process.ts';
import { FakePodsApi } from './fake-pods-api.ts';
import { startOfTime } from './objects.ts';
import { Overseer, type Trace } from './overseer.ts';
import { TestTiming } from './test-timing.ts';
import { whatIsWrong } from './truth.ts';

const asWritten: PoolOffer = { support: simulatedSupport, sizing: 'none' };

/** Commands that the simulated backend understands, each with what it ends with; undefined: it does not end by itself. */
export const workloads = {
  forever: { spec: { restartPolicy: 'Always' }, command: 'sleep 1000000', exitCode: undefined },
  job: { spec: { restartPolicy: 'Never' }, command: 'sleep 20; exit 0', exitCode: 0 },
  failing: { spec: { restartPolicy: 'Never' }, command: 'sleep 3; exit 7', exitCode: 7 },
  retried: { spec: { restartPolicy: 'OnFailure' }, command: 'sleep 5; exit 1', exitCode: undefined },
} as const;

export type WorkloadName = keyof typeof workloads;

export interface WorldOptions {
  /** Other than the simulated backend's. */
  readonly capabilities?: Partial<Capabilities>;
  /** Other than the simulated backend's, as written. */
  readonly offer?: PoolOffer;
  /** What a call of the API server takes at most. Default: 0, no time. */
  readonly apiLatencyMs?: number;
  /** Default: a day. */
  readonly keepEndedMs?: number;
  /** Processes that want to serve the node. Of several one leads. Default: one */
  readonly replicas?: readonly string[];
  /** Of the cluster. Default: `cluster` */
  readonly clusterId?: string;
  /** What UIDs begin with: those of two clusters differ, unless one is a copy of the other. Default: nothing */
  readonly uids?: string;
  /** Has the time and the region of this world, too: another cluster, with a node of the same name. */
  readonly beside?: CoreWorld;
}

/** Also hides what is only made by half. */
class DeceptiveBackend extends FaultyBackend {
  /** It answers for another project, or from a cache that is empty, and says that its listing is complete. */
  showsNothing = false;

  override async list(signal: AbortSignal): Promise<Listing> {
    const listing = await super.list(signal);
    return this.showsNothing ? { complete: true, instances: [] } : listing;
  }
}

/**
 * A whole node: the real core on a rehearsed backend and a fake API server, under one clock. A process can die, or be paused, at any
 * time; what it has sent by then may still arrive. Every act on the backend is checked when it is done.
 */
export class CoreWorld {
  readonly timing: TestTiming;
  readonly api: FakePodsApi;
  readonly backend: DeceptiveBackend;
  readonly notices: { readonly ref: InstanceRef; readonly notice: Notice }[] = [];
  readonly nodeNotices: Notice[] = [];
  /** Why the pool takes no pods, or `open`: each time that it was told. */
  readonly pool: string[] = [];
  /** Seconds that each pod took to become Ready, as they were measured. */
  readonly ready: number[] = [];
  /** How often a pod was looked at. */
  steps = 0;
  /** Of etcd. */
  snapshot: readonly Pod[] | undefined;
  readonly #region: SimulatedRegion;
  readonly #simulated: SimulatedBackend;
  readonly #owner: Owner;
  readonly #overseer: Overseer;
  readonly #offer: PoolOffer;
  readonly #keepEndedMs: number;
  readonly #random: () => number;
  readonly #replicas: readonly string[];
  /** By the name of the replica. */
  readonly #processes = new Map<string, CoreProcess>();
  readonly #ending: Promise<void>[] = [];
  /** The process that was stopped last has ended. */
  #stopped: Promise<void> | undefined;
  readonly #uids: string;
  /** Of the backend's answers. */
  readonly #latency: Scenario['latency'];
  #serial = 0;
  #deceptions = 0;

  constructor(scenario: Scenario = {}, options: WorldOptions = {}) {
    const { capabilities = {}, apiLatencyMs = 0, replicas = ['only'], clusterId = 'cluster', uids = '' } = options;
    const { beside, offer = asWritten, keepEndedMs = 86_400_000 } = options;
    this.#offer = offer;
    this.#keepEndedMs = keepEndedMs;
    this.#uids = uids;
    this.#latency = scenario.latency;
    this.timing = beside?.timing ?? new TestTiming(startOfTime);
    this.#replicas = replicas;
    this.#owner = { clusterId, nodeName: 'virtual-kubelet' };
    this.#random = seededRandom((scenario.seed ?? 1) + 2);
    const travels = seededRandom((scenario.seed ?? 1) + 3);
    this.api = new FakePodsApi(async () => {
      if (apiLatencyMs > 0) await this.timing.sleep(Math.round((travels() * apiLatencyMs) / 2));
    }, this.timing);
    this.#region =
      beside === undefined
        ? new SimulatedRegion({
            options: { scenario, startDelayMs: 300, stopDelayMs: 100 },
            logger: silentLogger,
            clock: this.timing,
          })
        : beside.#region;
    this.#simulated = new SimulatedBackend({ region: this.#region, owner: this.#owner });
    this.#overseer = new Overseer({
      api: this.api,
      region: this.#region,
      owner: this.#owner,
      backend: this.#simulated,
      capabilities,
      offer,
    });
    this.backend = new DeceptiveBackend({ backend: this.#overseer.backend(), scenario, clock: this.timing });
  }

  // --- what came of it

  get traces(): ReadonlyMap<string, Trace> {
    return this.#overseer.traces;
  }

  /** Deleted without grace, or ended by others: nothing is promised about their end. */
  get abandoned(): Set<string> {
    return this.#overseer.abandoned;
  }

  /** The backend is asked to stop an instance. */
  set onStop(onStop: (graceSeconds: number) => void) {
    this.#overseer.onStop = onStop;
  }

  async instances(): Promise<readonly Instance[]> {
    return this.#overseer.look();
  }

  /** What does not hold, although it must when everything has settled. */
  async wrong(): Promise<string | undefined> {
    return whatIsWrong(this.api, this.#overseer, this.#overseer.look(), this.timing.now(), this.#keepEndedMs);
  }

  // --- users

  create(name: string, workload: WorkloadName = 'forever', more: Partial<PodSpec> = {}): Pod {
    this.#serial += 1;
    const { spec, command } = workloads[workload];
    const podSpec: PodSpec = {
      ...spec,
      nodeName: this.#owner.nodeName,
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
        uid: `${this.#uids}${name}-${this.#serial}`,
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

  // --- the processes

  get running(): boolean {
    return this.#processes.size > 0;
  }

  get controller(): PodController | undefined {
    return this.leader?.controller;
  }

  /** The process that leads, or the only one. */
  get leader(): CoreProcess | undefined {
    const holder = this.api.leases.holderOf('pool');
    return [...this.#processes.values()].find(({ options: { identity, elected } }) => !elected || identity === holder);
  }

  /** Those that do not run. */
  start(): void {
    for (const name of this.#replicas) if (!this.#processes.has(name)) this.#startProcess(name);
  }

  /** As kill -9: nothing more is sent or heard; what was sent goes on. */
  crash(process: CoreProcess | undefined = this.leader): void {
    process?.kill();
    this.#forget(process);
  }

  /** As SIGTERM. */
  stop(process: CoreProcess | undefined = this.leader): void {
    process?.stop();
    this.#stopped = process?.ended;
    this.#forget(process);
  }

  async advance(ms: number): Promise<void> {
    await this.timing.advance(ms);
    this.#overseer.look();
  }

  /**
   * From now on everything works. What must hold has to hold in the end, and to stay so.
   *
   * @throws when it does not, after more time than all that is promised may take
   */
  settle(): Promise<number> {
    return settle([this]);
  }

  /** Nothing is in its way any more. */
  heal(): void {
    this.backend.change({ latency: this.#latency });
    this.api.away = false;
    if (this.api.elsewhere) this.api.elsewhere = false;
    this.showsNothing = false;
    this.showInstancesOf(undefined);
    this.reconnect();
    for (const process of this.#processes.values()) process.resume();
    this.start();
  }

  /** Everything stops. @throws when something of the core does not */
  async close(): Promise<void> {
    for (const process of this.#processes.values()) process.stop();
    await this.advance(60_000);
    let settled = false;
    void Promise.all(this.#ending).then(() => (settled = true));
    await this.advance(0);
    if (!settled) throw new Error('a stopped process does not end');
    await this.#simulated.close();
  }

  // --- what goes wrong

  /** Between the leader and the API server; everybody's watches break. */
  cutOffLeader(): void {
    if (this.leader) this.leader.cutOff = true;
    this.api.dropWatches();
  }

  reconnect(): void {
    for (const process of this.#processes.values()) process.cutOff = false;
  }

  set showsNothing(showsNothing: boolean) {
    this.backend.showsNothing = showsNothing;
  }

  /** Three times at most, and for less than the time after which that would be believed. */
  showNothingFor(ms: number): void {
    if (this.backend.showsNothing || this.#deceptions === 3) return;
    this.#deceptions += 1;
    this.showsNothing = true;
    this.timing.after(ms, () => (this.showsNothing = false));
  }

  /** The backend lists the instances of another cluster, too. */
  showInstancesOf(other: CoreWorld | undefined): void {
    this.#overseer.shownToo = other === undefined ? undefined : other.#owner;
  }

  /** The backend's watch says that its instance is gone, whatever is true. */
  tellGone(name: string): void {
    const pod = this.api.get(name);
    if (pod) this.#region.hub(this.#owner).gone(instanceRef(pod));
  }

  /** Somebody removes its instance. */
  async takeAway(name: string): Promise<void> {
    const pod = this.api.get(name);
    if (pod) await this.#overseer.takeAway(instanceRef(pod));
  }

  /** A create that was given up arrives after all, at a backend that does not look what is there. */
  async createAnother(name: string): Promise<void> {
    await this.#overseer.createAnother(this.api.get(name)?.metadata?.uid ?? '');
  }

  /** An update that another process sent before the pod was edited arrives after all. */
  changeBack(name: string): void {
    this.#overseer.changeBack(this.api.get(name)?.metadata?.uid ?? '');
  }

  /** etcd is restored from a snapshot that was taken when there were these pods. */
  restore(pods: readonly Pod[]): void {
    this.#overseer.restore(pods);
  }

  /** What a process in the container `app` reads. */
  async readFile(ref: InstanceRef, path: string): Promise<string> {
    const stdout = new PassThrough();
    const { signal } = new AbortController();
    await this.backend.exec(ref, 'app', ['cat', path], offered({ tty: false, stdout }), signal);
    return String(stdout.read());
  }

  #startProcess(name: string): void {
    const { api, backend } = this;
    const process = new CoreProcess({
      identity: `${name}-${this.#ending.length}`,
      nodeName: this.#owner.nodeName,
      elected: this.#replicas.length > 1,
      world: this.timing,
      // Without an election there is one at a time.
      after: this.#replicas.length > 1 ? undefined : this.#stopped,
      random: this.#random,
      api,
      backend,
      record: (ref, notice) => this.notices.push({ ref, notice }),
      recordOnNode: (notice) => this.nodeNotices.push(notice),
      sizing: this.#offer.sizing,
      keepEndedMs: this.#keepEndedMs,
      onPool: (what) => this.pool.push(what),
      onReady: (seconds) => this.ready.push(seconds),
      onStep: () => (this.steps += 1),
      violate: (what) => this.#overseer.violate(what),
      createSent: (workload, serves) => this.#overseer.createSent(workload, serves),
    });
    this.#processes.set(name, process);
    this.#ending.push(process.ended);
  }

  #forget(process: CoreProcess | undefined): void {
    for (const [name, each] of this.#processes) if (each === process) this.#processes.delete(name);
  }
}

const patienceMs = 45 * 60_000;
const steadyMs = 3 * 60_000;

/**
 * From now on everything works in these worlds. What must hold has to hold in the end, and to stay so.
 *
 * @returns after how many milliseconds it did
 * @throws when it does not, after more time than all that is promised may take
 */
export async function settle(worlds: readonly CoreWorld[]): Promise<number> {
  const [first] = worlds;
  if (!first) return 0;
  for (const world of worlds) world.heal();
  const startMs = first.timing.now();
  let healedMs = 0;
  let wrong: string | undefined;
  for (let passedMs = 0; passedMs < patienceMs && passedMs - healedMs < steadyMs; ) {
    await first.timing.advance(Math.min(20_000, Math.max(200, passedMs / 10)));
    passedMs = first.timing.now() - startMs;
    wrong = await wrongIn(worlds);
    if (wrong !== undefined) healedMs = passedMs;
  }
  if (wrong !== undefined) throw new Error(wrong);
  return healedMs;
}

async function wrongIn(worlds: readonly CoreWorld[]): Promise<string | undefined> {
  for (const world of worlds) {
    const wrong = await world.wrong();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}
