import { type Clock, type Logger, systemClock, withPartsOf } from '@spillway/kube';
import type { InstanceRef, Owner, Workload } from '../backend.ts';
import { EventHub } from '../event-hub.ts';
import { Addresses } from './addresses.ts';
import { type ResolvedSimulatedOptions, resolveSimulatedOptions, type SimulatedBackendOptions } from './options.ts';
import { type PodRecord, SimulatedPod } from './simulated-pod.ts';
import { StateFile } from './state-file.ts';

export interface SimulatedRegionDependencies {
  readonly options: SimulatedBackendOptions;
  readonly logger: Logger;
  readonly clock?: Clock;
}

interface MarkedPod {
  readonly owner: Owner;
  readonly pod: SimulatedPod;
}

/**
 * A cloud's region as all who rent in it share it: one network, instances of several owners side by side, and nothing
 * but their marks to tell them apart. One UID may come with different marks: clusters are cloned from a backup.
 */
export class SimulatedRegion {
  readonly options: ResolvedSimulatedOptions;
  readonly clock: Clock;
  readonly #logger: Logger;
  readonly #addresses: Addresses;
  readonly #state: StateFile;
  /** By marks and UID; of each there should be one. */
  readonly #pods = new Map<string, readonly MarkedPod[]>();
  readonly #hubs = new Map<string, EventHub>();
  /** Of the newest instance, by container: most others have the same variables. */
  #environment: Workload['environment'] = new Map();
  #tenants = 0;
  #loading: Promise<void> | undefined;

  constructor({ options, logger, clock = systemClock }: SimulatedRegionDependencies) {
    this.options = resolveSimulatedOptions(options);
    this.clock = clock;
    this.#logger = logger;
    this.#addresses = new Addresses(this.options.podCidr);
    this.#state = new StateFile(this.options.stateFile, () =>
      this.#all.map(({ owner, pod: { workload, record } }) => ({ workload, record, owner })),
    );
  }

  enter(): void {
    this.#tenants += 1;
  }

  /** Instances go on running as long as somebody is here: they are nothing but timers of this process. */
  async leave(): Promise<void> {
    this.#tenants -= 1;
    if (this.#tenants === 0) await Promise.all(this.#all.map(({ pod }) => pod.kill()));
    await this.save();
  }

  /** Finds what an earlier process kept. */
  async load(): Promise<void> {
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  find(owner: Owner, uid: string): SimulatedPod | undefined {
    return this.#pods.get(keyOf(owner, uid))?.[0]?.pod;
  }

  podsOf(owner: Owner): SimulatedPod[] {
    return this.#all.filter((each) => marksOf(each.owner) === marksOf(owner)).map(({ pod }) => pod);
  }

  async create(owner: Owner, workload: Workload): Promise<void> {
    if (this.find(owner, workload.ref.uid) === undefined) await this.createAnother(owner, workload);
  }

  /** Whether or not there is one of this UID: what a region does whose creates are not idempotent. */
  async createAnother(owner: Owner, workload: Workload): Promise<void> {
    const record = { acceptedAt: this.clock.now(), podIP: this.#addresses.take(), containers: {} };
    const { instance } = this.#add(owner, workload, record);
    await this.save();
    this.hub(owner).changed(instance);
  }

  async remove(owner: Owner, ref: InstanceRef): Promise<void> {
    const key = keyOf(owner, ref.uid);
    const found = this.#pods.get(key);
    if (!found) return;
    for (const { pod } of found) await pod.kill();
    this.#pods.delete(key);
    for (const { pod } of found) this.#addresses.release(pod.record.podIP);
    await this.save();
    this.hub(owner).gone(ref);
  }

  /** Who watches hears of instances with these marks. */
  hub(owner: Owner): EventHub {
    const marks = marksOf(owner);
    const hub = this.#hubs.get(marks) ?? new EventHub();
    this.#hubs.set(marks, hub);
    return hub;
  }

  save(): Promise<void> {
    return this.#state.save();
  }

  get #all(): MarkedPod[] {
    return [...this.#pods.values()].flat();
  }

  async #load(): Promise<void> {
    for (const { workload, record, owner } of await this.#state.load()) {
      this.#addresses.keep(record.podIP);
      this.#add(owner, workload, record);
    }
  }

  #add(owner: Owner, wanted: Workload, record: PodRecord): SimulatedPod {
    const workload = { ...wanted, environment: this.#sharedEnvironment(wanted) };
    const { ref } = workload;
    const hub = this.hub(owner);
    const key = keyOf(owner, ref.uid);
    const pod: SimulatedPod = new SimulatedPod(workload, record, {
      options: this.options,
      clock: this.clock,
      changed: () => void this.#tell(key, pod, hub),
      notify: (notice) => hub.notice(ref, notice),
    });
    this.#pods.set(key, [...(this.#pods.get(key) ?? []), { owner, pod }]);
    pod.start();
    return pod;
  }

  #sharedEnvironment({ environment }: Workload): Workload['environment'] {
    const variables = Array.from(environment, ([container, own]) => {
      return [container, withPartsOf(own, this.#environment.get(container))] as const;
    });
    this.#environment = new Map(variables);
    return this.#environment;
  }

  /** Nobody hears of what the next process would not know. */
  async #tell(key: string, pod: SimulatedPod, hub: EventHub): Promise<void> {
    const { instance } = pod;
    try {
      await this.save();
    } catch (error) {
      this.#logger.error(
        { err: error },
        'state file cannot be written; instances will be forgotten when the process ends',
      );
    }
    if (this.#pods.get(key)?.some((each) => each.pod === pod)) hub.changed(instance);
  }
}

const marksOf = ({ clusterId, nodeName }: Owner): string => `${clusterId}/${nodeName}`;
const keyOf = (owner: Owner, uid: string): string => `${marksOf(owner)}/${uid}`;
