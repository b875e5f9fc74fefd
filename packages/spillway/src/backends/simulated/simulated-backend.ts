import { Readable } from 'node:stream';
import type { Container } from '@spillway/kube';
import { containersOf, ephemeralContainersOf } from '../../podspec/containers.ts';
import type { Support } from '../../podspec/fit/support.ts';
import { refusal } from '../../podspec/review/refusal.ts';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type Capacity,
  type Dismantled,
  type ExecResult,
  type InstanceChange,
  type InstanceEvent,
  type InstanceRef,
  type InstanceUsage,
  type Listing,
  type LogOptions,
  type LogSink,
  type OfferedStreams,
  type Owner,
  type PortForwarder,
  type Refusal,
  type StopOptions,
  type Workload,
} from '../backend.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { simulatedSupport } from './simulated-support.ts';
import { SimulatedPorts } from './simulated-ports.ts';
import type { SimulatedRegion } from './simulated-region.ts';
import { simulatedUsage } from './simulated-usage.ts';

export interface SimulatedBackendDependencies {
  readonly region: SimulatedRegion;
  readonly owner: Owner;
}

/**
 * Pretends to run pods: for demos, rehearsals and tests where no container can run. Sees and touches only what has the
 * owner's marks in the region.
 */
export class SimulatedBackend implements Backend {
  readonly capabilities: Capabilities = {
    runtimeVersion: 'simulated://1',
    logs: true,
    exec: true,
    attach: true,
    portForward: true,
    volumeUpdates: true,
  };
  readonly support: Support = simulatedSupport;
  readonly #region: SimulatedRegion;
  readonly #owner: Owner;
  readonly #closing = new AbortController();

  constructor({ region, owner }: SimulatedBackendDependencies) {
    this.#region = region;
    this.#owner = owner;
    region.enter();
  }

  prepare(): Promise<void> {
    return this.#region.load();
  }

  create(workload: Workload): Promise<void> {
    return this.#region.create(this.#owner, workload);
  }

  async stop({ uid }: InstanceRef, { graceSeconds }: StopOptions): Promise<void> {
    this.#region.find(this.#owner, uid)?.stop(graceSeconds);
    await this.#region.save();
  }

  async update({ uid }: InstanceRef, change: InstanceChange): Promise<readonly Refusal[]> {
    this.#region.find(this.#owner, uid)?.update(change);
    await this.#region.save();
    return ephemeralContainersOf(change.workload?.pod ?? {}).map((_, index) =>
      refusal('ephemeral-containers-unsupported', `spec.ephemeralContainers[${index}]`),
    );
  }

  remove(ref: InstanceRef): Promise<void> {
    return this.#region.remove(this.#owner, ref);
  }

  async list(): Promise<Listing> {
    await this.#region.load();
    return { complete: true, instances: this.#region.podsOf(this.#owner).map(({ instance }) => instance) };
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    return this.#region.hub(this.#owner).watch(AbortSignal.any([signal, this.#closing.signal]));
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
    streams: OfferedStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const { pod, container } = this.#running(ref, name);
    const { stdin, stdout, stderr } = await streams.open();
    const io = { stdin: chunksOf(stdin), stdout: writer(stdout), stderr: writer(stderr) };
    return { exitCode: await pod.exec(container, command, io, signal) };
  }

  async attach(ref: InstanceRef, name: string, streams: OfferedStreams, signal: AbortSignal): Promise<ExecResult> {
    const { pod, container } = this.#running(ref, name);
    const { stdin, stdout, stderr } = await streams.open();
    const ended = new AbortController();
    const until = AbortSignal.any([signal, this.#closing.signal, ended.signal]);
    const input = stdin && pod.feed(container, Readable.from(chunksOf(stdin)), until).catch(() => {});
    const fromNow = { follow: true, timestamps: false, previous: false, tailLines: 0 } as const;
    const log = pod.logsOf(name).at(-1);
    const handOn = async (stream: LogOptions['stream'], to: NodeJS.WritableStream | undefined): Promise<void> => {
      await log?.read({ ...fromNow, stream }, { write: writer(to) }, until);
    };
    await Promise.all(stderr ? [handOn('Stdout', stdout), handOn('Stderr', stderr)] : [handOn('All', stdout)]);
    ended.abort();
    await input;
    return { exitCode: 0 };
  }

  async portForward(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder> {
    return new SimulatedPorts(this.#pod(ref), AbortSignal.any([signal, this.#closing.signal]));
  }

  async usage(): Promise<readonly InstanceUsage[]> {
    const { clock, options } = this.#region;
    return this.#region.podsOf(this.#owner).flatMap((pod) => simulatedUsage(pod, options, clock.now()) ?? []);
  }

  async capacity(): Promise<Capacity> {
    return this.#region.options.capacity;
  }

  async ping(): Promise<void> {}

  /** There is nothing but instances. */
  async dismantle(): Promise<Dismantled> {
    return { removed: [], remains: [], others: [] };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#region.leave();
  }

  #get(ref: InstanceRef, container: string): SimulatedPod {
    const pod = this.#pod(ref);
    if (containersOf(pod.workload.pod).some((each) => each.container.name === container)) return pod;
    throw new BackendError('notFound', `container ${container} not found in pod ${ref.name}_${ref.namespace}`);
  }

  #pod(ref: InstanceRef): SimulatedPod {
    const pod = this.#region.find(this.#owner, ref.uid);
    if (pod) return pod;
    throw new BackendError('notFound', `pod ${ref.namespace}/${ref.name} (${ref.uid}) does not run here`);
  }

  #running(ref: InstanceRef, name: string): { readonly pod: SimulatedPod; readonly container: Container } {
    const pod = this.#get(ref, name);
    const container = containersOf(pod.workload.pod).find((each) => each.container.name === name)?.container;
    const { containerStatuses, initContainerStatuses } = pod.instance;
    const status = [...containerStatuses, ...initContainerStatuses].find((each) => each.name === name);
    if (container && status?.state?.running) return { pod, container };
    throw new BackendError('conflict', `container "${name}" in pod "${ref.name}" is not running`);
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
