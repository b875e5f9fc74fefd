import { type Clock, type Logger, systemClock } from '@spillway/kube';
import { containersOf } from '../../podspec/containers.ts';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type Capacity,
  type ExecResult,
  type ExecStreams,
  type InstanceChange,
  type InstanceEvent,
  type InstanceRef,
  type Listing,
  type LogOptions,
  type LogSink,
  type Owner,
  type Review,
  type StopOptions,
  type Workload,
} from '../backend.ts';
import { EventHub } from '../event-hub.ts';
import { Addresses } from './addresses.ts';
import { resolveSimulatedOptions, type ResolvedSimulatedOptions, type SimulatedBackendOptions } from './options.ts';
import { type PodRecord, SimulatedPod } from './simulated-pod.ts';
import { StateFile } from './state-file.ts';

export interface SimulatedBackendDependencies {
  readonly options: SimulatedBackendOptions;
  readonly owner: Owner;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** Pretends to run pods: for demos, rehearsals and tests where no container can run. */
export class SimulatedBackend implements Backend {
  readonly capabilities: Capabilities = {
    runtimeVersion: 'simulated://1',
    logs: true,
    exec: true,
    volumeUpdates: true,
  };
  readonly #options: ResolvedSimulatedOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #addresses: Addresses;
  readonly #state: StateFile;
  readonly #hub = new EventHub();
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #closing = new AbortController();
  #loaded = false;

  constructor({ options, logger, clock = systemClock }: SimulatedBackendDependencies) {
    this.#options = resolveSimulatedOptions(options);
    this.#logger = logger;
    this.#clock = clock;
    this.#addresses = new Addresses(this.#options.podCidr);
    this.#state = new StateFile(this.#options.stateFile, () => [...this.#pods.values()]);
  }

  /** It can pretend everything. */
  review(): Review {
    return { refusals: [] };
  }

  async prepare(): Promise<void> {
    if (this.#loaded) return;
    for (const { workload, record } of await this.#state.load()) {
      this.#addresses.keep(record.podIP);
      this.#add(workload, record);
    }
    this.#loaded = true;
  }

  async create(workload: Workload): Promise<void> {
    if (this.#pods.has(workload.ref.uid)) return;
    const record = { acceptedAt: this.#clock.now(), podIP: this.#addresses.take(), containers: {} };
    const pod = this.#add(workload, record);
    await this.#state.save();
    this.#hub.changed(pod.instance);
  }

  async stop({ uid }: InstanceRef, { graceSeconds }: StopOptions): Promise<void> {
    this.#pods.get(uid)?.stop(graceSeconds);
    await this.#state.save();
  }

  async update({ uid }: InstanceRef, change: InstanceChange): Promise<void> {
    this.#pods.get(uid)?.update(change);
    await this.#state.save();
  }

  async remove(ref: InstanceRef): Promise<void> {
    const pod = this.#pods.get(ref.uid);
    if (!pod) return;
    await pod.kill();
    this.#pods.delete(ref.uid);
    this.#addresses.release(pod.record.podIP);
    await this.#state.save();
    this.#hub.gone(ref);
  }

  async list(): Promise<Listing> {
    return { complete: true, instances: Array.from(this.#pods.values(), ({ instance }) => instance) };
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    return this.#hub.watch(AbortSignal.any([signal, this.#closing.signal]));
  }

  async logs(
    ref: InstanceRef,
    container: string,
    options: LogOptions,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    const pod = this.#get(ref, container);
    const attempts = pod.logsOf(container);
    const log = attempts.at(options.previous ? -2 : -1);
    if (!log || (options.previous && attempts.length < 2)) {
      const which = options.previous ? 'previous terminated container' : 'container';
      const why = options.previous ? 'not found' : 'is waiting to start';
      throw new BackendError(
        options.previous ? 'notFound' : 'conflict',
        `${which} "${container}" in pod "${ref.name}" ${why}`,
      );
    }
    await log.read(options, sink, AbortSignal.any([signal, this.#closing.signal]));
  }

  async exec(
    ref: InstanceRef,
    name: string,
    command: readonly string[],
    { stdin, stdout, stderr }: ExecStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const pod = this.#get(ref, name);
    const container = containersOf(pod.workload.pod).find((each) => each.container.name === name)?.container;
    const running = [...pod.instance.containerStatuses, ...pod.instance.initContainerStatuses].some(
      (status) => status.name === name && status.state?.running,
    );
    if (!container || !running)
      throw new BackendError('conflict', `container "${name}" in pod "${ref.name}" is not running`);
    const io = { stdin: chunksOf(stdin), stdout: writer(stdout), stderr: writer(stderr) };
    return { exitCode: await pod.exec(container, command, io, signal) };
  }

  async capacity(): Promise<Capacity> {
    return this.#options.capacity;
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(Array.from(this.#pods.values(), (pod) => pod.kill()));
    await this.#state.save();
  }

  #add(workload: Workload, record: PodRecord): SimulatedPod {
    const { ref } = workload;
    const pod: SimulatedPod = new SimulatedPod(workload, record, {
      options: this.#options,
      clock: this.#clock,
      changed: () => {
        this.#hub.changed(pod.instance);
        void this.#save();
      },
      notify: (notice) => this.#hub.notice(ref, notice),
    });
    this.#pods.set(ref.uid, pod);
    pod.start();
    return pod;
  }

  async #save(): Promise<void> {
    try {
      await this.#state.save();
    } catch (error) {
      this.#logger.error(
        { err: error },
        'state file cannot be written; instances will be forgotten when the process ends',
      );
    }
  }

  #get(ref: InstanceRef, container: string): SimulatedPod {
    const pod = this.#pods.get(ref.uid);
    if (!pod) throw new BackendError('notFound', `pod ${ref.namespace}/${ref.name} (${ref.uid}) does not run here`);
    if (containersOf(pod.workload.pod).some((each) => each.container.name === container)) return pod;
    throw new BackendError('notFound', `container ${container} not found in pod ${ref.name}_${ref.namespace}`);
  }
}

async function* chunksOf(stream: NodeJS.ReadableStream | undefined): AsyncIterable<Uint8Array> {
  for await (const chunk of stream ?? []) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

function writer(stream: NodeJS.WritableStream | undefined): (text: Uint8Array) => Promise<void> {
  return async (text) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (!stream) return;
    stream.write(text, (error) => (error ? reject(error) : resolve()));
    await promise;
  };
}
