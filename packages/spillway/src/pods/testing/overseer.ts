import type { PoolOffer } from '../../podspec/fit/fit.ts';
import type { Pod } from '@spillway/kube';
import type { Capabilities, Instance, InstanceRef, Owner, Workload } from '../../backends/backend.ts';
import type { WholeBackend } from '../../backends/simulated/faulty-backend.ts';
import type { SimulatedBackend } from '../../backends/simulated/simulated-backend.ts';
import type { SimulatedRegion } from '../../backends/simulated/simulated-region.ts';
import { isDeleting, isTerminalPhase, statusShowsItRan } from '../../podspec/pod-facts.ts';
import type { FakePodsApi } from './fake-pods-api.ts';

/** What one UID has been through on the backend, whatever the core knows of it. */
export interface Trace {
  starts: number;
  ran: boolean;
  /** Was told to stop, or removed: then it does not end by itself. */
  interrupted: boolean;
  exitCode: number | undefined;
}

export interface OverseerOptions {
  readonly api: FakePodsApi;
  readonly region: SimulatedRegion;
  readonly owner: Owner;
  readonly backend: SimulatedBackend;
  readonly capabilities: Partial<Capabilities>;
  /** What the backend runs, whatever the simulated one would. */
  readonly offer: PoolOffer;
}

/** Stands between the core and its backend, and judges every act when it is done: no matter who has asked for it, and when. */
export class Overseer {
  readonly #options: OverseerOptions;
  readonly traces: Map<string, Trace> = new Map();
  /** Deleted without grace, ended or taken away by others: nothing is promised about their end. */
  readonly abandoned: Set<string> = new Set();
  /** Whose instance somebody has taken away. */
  readonly #taken = new Set<string>();
  /** What was created, by UID. */
  readonly #workloads = new Map<string, Workload>();
  /** Of pods that came back with a restored etcd: what was on its way for them is not wrong. */
  readonly #revived = new Set<string>();
  /** Creates that were right when they were sent. Does who has sent it serve the node, at this time? */
  readonly #rightWhenSent = new WeakMap<Workload, () => boolean>();
  /** The first thing that should not have happened. */
  violation: string | undefined;
  /** It looks at no marks, and lists what is another's. */
  shownToo: Owner | undefined;
  onStop: ((graceSeconds: number) => void) | undefined;

  constructor(options: OverseerOptions) {
    this.#options = options;
  }

  violate(what: string): void {
    this.violation ??= what;
  }

  /** Looks at what there is now. */
  look(): readonly Instance[] {
    const { api, region, owner } = this.#options;
    const instances = region.podsOf(owner).map(({ instance }) => instance);
    for (const instance of instances) this.#seen(instance);
    if (new Set(instances.map(({ ref }) => ref.uid)).size < instances.length) {
      this.violate('two instances of one UID run');
    }
    for (const pod of api.all) {
      const { uid = '' } = pod.metadata ?? {};
      if (pod.status?.reason === 'InstanceLost' && !this.#taken.has(uid) && !this.#revived.has(uid)) {
        this.violate(`${uid} counts as lost, but nobody took its instance`);
      }
    }
    if (api.intrusions.length > 0) this.violate(`a pod of another cluster was changed: ${api.intrusions[0]}`);
    return instances;
  }

  /** Somebody removes the instance behind our back. */
  async takeAway(ref: InstanceRef): Promise<void> {
    const { api, region, owner } = this.#options;
    const instance = this.#find(ref.uid);
    if (instance === undefined) return;
    this.#taken.add(ref.uid);
    const pod = api.byUid(ref.uid);
    this.abandoned.add(ref.uid);
    // What nobody has seen running may be started again.
    this.#trace(ref.uid).ran = pod !== undefined && statusShowsItRan(pod);
    await region.remove(owner, ref);
  }

  /** A create that was given up arrives after all, at a backend that does not look what is there. */
  async createAnother(uid: string): Promise<void> {
    const { region, owner } = this.#options;
    const workload = this.#workloads.get(uid);
    if (workload) await region.createAnother(owner, workload);
  }

  /** It becomes again what it was created as. */
  changeBack(uid: string): void {
    const { region, owner } = this.#options;
    const workload = this.#workloads.get(uid);
    const objects = { configMaps: new Map(), secrets: new Map() };
    if (workload) region.find(owner, uid)?.update({ volumes: new Map(), objects, workload });
  }

  /** etcd is restored from a snapshot that was taken when there were these pods. */
  restore(pods: readonly Pod[]): void {
    const { api } = this.#options;
    const known = new Set(pods.map(({ metadata }) => metadata?.uid ?? ''));
    // Nobody may know any more that what was taken away has run.
    for (const pod of pods) {
      const { uid = '' } = pod.metadata ?? {};
      if (this.#taken.has(uid) && this.#find(uid) === undefined) this.#trace(uid).ran &&= statusShowsItRan(pod);
    }
    for (const uid of api.last.keys()) if (this.#mayEnd(uid) || !known.has(uid)) this.abandoned.add(uid);
    for (const uid of known) {
      if (!this.#mayEnd(uid)) continue;
      this.#revived.add(uid);
      if (this.#find(uid)) continue;
      this.#taken.add(uid);
      this.#trace(uid).ran = false;
    }
    api.restore(pods);
  }

  /** A create is on its way. */
  createSent(workload: Workload, serves: () => boolean): void {
    const { uid } = workload.ref;
    const isFirst = this.#find(uid) !== undefined || !this.#trace(uid).ran;
    // Who does not know yet that another leads cannot know what that one has ended, either.
    if (isFirst || !serves()) this.#rightWhenSent.set(workload, serves);
  }

  backend(): WholeBackend {
    const { backend: inner, capabilities, offer, api } = this.#options;
    return {
      capabilities: { ...inner.capabilities, ...capabilities },
      support: offer.support,
      prepare: () => inner.prepare(),
      dismantle: () => inner.dismantle(),
      create: async (workload) => {
        const { uid } = workload.ref;
        this.#workloads.set(uid, workload);
        const trace = this.#trace(uid);
        if (!api.last.has(uid)) this.violate(`${uid} is started, and is of another cluster`);
        if (this.#find(uid) === undefined) {
          trace.starts += 1;
          // Sent before the pod's end was known, perhaps by a process that is dead: its end is nobody's.
          if (this.#mayEnd(uid)) this.abandoned.add(uid);
          if (trace.ran && !this.#isLeftOver(workload)) this.violate(`${uid} has run, and is started again`);
        }
        await inner.create(workload);
      },
      stop: async (ref, options) => {
        this.onStop?.(options.graceSeconds);
        this.#ending(ref, 'stopped');
        await inner.stop(ref, options);
      },
      update: (ref, change) => inner.update(ref, change),
      remove: async (ref) => {
        this.#ending(ref, 'removed');
        if (this.#find(ref.uid) && !this.#endIsTold(ref.uid)) {
          this.violate(`the end of ${ref.uid} is not told, and it is removed`);
        }
        // The cluster that has it again may know nothing of that it ran.
        if (this.#revived.has(ref.uid)) this.#trace(ref.uid).ran = false;
        await inner.remove(ref);
      },
      list: async () => ({ complete: true, instances: this.#listed() }),
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

  /**
   * Nobody can call back what a process has sent that is dead now or leads no more, and no backend refuses it: once the next
   * process has ended and removed the instance, it makes another one. Who serves the node is never excused.
   */
  #isLeftOver(workload: Workload): boolean {
    return this.#rightWhenSent.get(workload)?.() === false;
  }

  #listed(): Instance[] {
    const { region, owner } = this.#options;
    const owners = this.shownToo === undefined ? [owner] : [owner, this.shownToo];
    return owners.flatMap((each) => region.podsOf(each).map(({ instance }) => instance));
  }

  #ending({ uid }: InstanceRef, how: string): void {
    const instance = this.#find(uid);
    if (instance === undefined) return;
    if (!this.#mayEnd(uid) && !this.#revived.has(uid)) this.violate(`${uid} should run, and is ${how}`);
    if (instance.state !== 'ended') this.#trace(uid).interrupted = true;
  }

  /** Where nobody deletes the pod. */
  #endIsTold(uid: string): boolean {
    const pod = this.#options.api.byUid(uid);
    const { exitCode, interrupted } = this.#trace(uid);
    if (pod === undefined || isDeleting(pod) || interrupted || this.abandoned.has(uid)) return true;
    return pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode === exitCode;
  }

  #mayEnd(uid: string): boolean {
    const pod = this.#options.api.byUid(uid);
    return pod === undefined || isDeleting(pod) || isTerminalPhase(pod.status?.phase);
  }

  #find(uid: string): Instance | undefined {
    const { region, owner } = this.#options;
    const instance = region.find(owner, uid)?.instance;
    if (instance) this.#seen(instance);
    return instance;
  }

  #seen({ ref, state, containerStatuses }: Instance): void {
    const trace = this.#trace(ref.uid);
    const status = containerStatuses[0];
    if (status?.state?.running || status?.state?.terminated) trace.ran = true;
    if (state === 'ended' && !trace.interrupted) trace.exitCode = status?.state?.terminated?.exitCode;
  }

  #trace(uid: string): Trace {
    const known = this.traces.get(uid);
    if (known) return known;
    const fresh: Trace = { starts: 0, ran: false, interrupted: false, exitCode: undefined };
    this.traces.set(uid, fresh);
    return fresh;
  }
}
