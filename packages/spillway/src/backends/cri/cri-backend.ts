import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, type Pod, systemClock } from '@spillway/kube';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type Capacity,
  type ExecResult,
  type ContainerStreams,
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
import { remoteCommandAt } from '../remote-streams.ts';
import { Semaphore } from '../semaphore.ts';
import { machineCapacity } from './capacity.ts';
import { RuntimeClient } from './client/runtime-client.ts';
import { logPath } from './config/container.ts';
import { podSelector } from './config/marks.ts';
import { followEvents } from './events.ts';
import { Images } from './images.ts';
import { readLog } from './logs/read-log.ts';
import { rotateLog } from './logs/rotate.ts';
import { type ListedPod, Observer, type PodListing } from './observer.ts';
import { type CriBackendOptions, resolveCriOptions, type ResolvedCriOptions } from './options.ts';
import { orphanWorkload } from './orphan.ts';
import { PodCgroups } from './pod-cgroups.ts';
import type { PodContext } from './pod/context.ts';
import { loggedContainer, runningContainer } from './pod/choose-container.ts';
import type { Intent } from './pod/plan.ts';
import { PodRunner } from './pod/pod-runner.ts';
import { PodStore } from './pod-store.ts';
import { reviewPod } from './review.ts';
import { unenforced } from './unenforced.ts';

export interface CriBackendDependencies {
  readonly options: CriBackendOptions;
  readonly owner: Owner;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Makes a connection to the runtime's streaming server, for exec. Default: TCP to the URL's host. */
  readonly connect?: (url: URL) => Duplex;
}

const rotateEveryListings = 10;
const closeGraceMs = 10_000;

/** Runs pods in a container runtime on this machine, with a kubelet's rules. */
export class CriBackend implements Backend {
  readonly #options: ResolvedCriOptions;
  readonly #client: RuntimeClient;
  readonly #connect: CriBackendDependencies['connect'];
  readonly #context: PodContext;
  readonly #observer: Observer;
  readonly #runners = new Map<string, PodRunner>();
  /** Pods that are being accepted. */
  readonly #accepting = new Map<string, Promise<void>>();
  /** UID and the listing during which it went, so that a listing that began before does not bring it back. */
  readonly #removed = new Map<string, number>();
  /** Number of the newest listing that was taken in. */
  #taken = 0;
  readonly #closing = new AbortController();
  #observing: Promise<unknown> | undefined;
  #runtime = { name: 'cri', version: 'unknown' };

  constructor({ options, owner, logger, clock = systemClock, connect }: CriBackendDependencies) {
    this.#options = resolveCriOptions(options);
    this.#connect = connect;
    this.#client = new RuntimeClient(this.#options.socket);
    const { calls } = this.#client;
    this.#observer = new Observer(calls, owner, clock, logger);
    this.#context = {
      owner,
      calls,
      clock,
      logger,
      store: new PodStore(this.#options.stateDir),
      cgroups: new PodCgroups(this.#options.cgroupParent),
      images: new Images(calls, clock),
      starts: new Semaphore(this.#options.maxParallelStarts),
      hub: new EventHub(),
      machineMemoryBytes: totalmem(),
      runtimeName: () => this.#runtime.name,
    };
  }

  get capabilities(): Capabilities {
    const runtimeVersion = `${this.#runtime.name}://${this.#runtime.version}`;
    return { runtimeVersion, logs: true, exec: true, volumeUpdates: true, pullSecretUpdates: true };
  }

  review(pod: Pod): Review {
    return reviewPod(pod, this.#options);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    const { runtimeName, runtimeVersion } = await this.#context.calls.Version({}, { signal });
    this.#runtime = { name: runtimeName, version: runtimeVersion };
    if (this.#observing) return;
    await internally('the state folder cannot be used', async () => {
      await this.#context.store.prepare();
      await this.#adopt();
    });
    const { clock, logger } = this.#context;
    const { signal: closing } = this.#closing;
    this.#observing = Promise.all([
      this.#observer.run(this.#options.pollIntervalMs, (listing) => this.#take(listing), closing),
      followEvents({ client: this.#client, clock, logger }, (uid) => this.#runners.get(uid)?.happened(), closing),
    ]);
  }

  async create(workload: Workload, signal: AbortSignal): Promise<void> {
    const { uid } = workload.ref;
    this.#assertPrepared();
    if (this.#runners.has(uid)) return;
    await this.#once(uid, () => this.#accept(workload, signal));
  }

  async stop(ref: InstanceRef, { graceSeconds }: StopOptions, signal: AbortSignal): Promise<void> {
    const runner = await this.#find(ref, signal);
    await internally('the stop could not be written down', async () => runner?.stop(graceSeconds));
  }

  async update(ref: InstanceRef, change: InstanceChange, signal: AbortSignal): Promise<void> {
    const runner = await this.#find(ref, signal);
    if (!runner) return;
    await unlessAborted(
      internally('the volumes could not be changed', () => runner.update(change)),
      signal,
    );
  }

  async remove(ref: InstanceRef, signal: AbortSignal): Promise<void> {
    const runner = await this.#find(ref, signal);
    if (!runner) return;
    await unlessAborted(
      internally('the instance could not be removed', () => runner.remove()),
      signal,
    );
  }

  async list(signal: AbortSignal): Promise<Listing> {
    this.#assertPrepared();
    const listing = await this.#observer.list(signal);
    await unlessAborted(
      internally('instances could not be listed', () => this.#take(listing)),
      signal,
    );
    return { complete: true, instances: Array.from(this.#runners.values(), ({ instance }) => instance) };
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    return this.#context.hub.watch(AbortSignal.any([signal, this.#closing.signal]));
  }

  async logs(
    ref: InstanceRef,
    container: string,
    options: LogOptions,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    const runner = await this.#get(ref, signal);
    const { attempt, id } = loggedContainer(runner, container, options.previous);
    const path = join(this.#context.store.logDirectoryOf(runner.ref), logPath(container, attempt));
    const ended = (): boolean => runner.observed.containers.find((each) => each.id === id)?.state !== 'running';
    const leaving = AbortSignal.any([signal, this.#closing.signal]);
    await internally('the log cannot be read', () => readLog(path, options, sink, ended, leaving));
  }

  async exec(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    io: ContainerStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    const runner = await this.#get(ref, signal);
    const { id } = runningContainer(runner, container);
    const request = {
      containerId: id,
      cmd: [...command],
      tty: io.tty,
      stdin: io.stdin !== undefined,
      stdout: io.stdout !== undefined,
      stderr: io.stderr !== undefined && !io.tty,
    };
    const answer = await this.#context.calls.Exec(request, { signal });
    const url = new URL(answer.url);
    const connect = this.#connect;
    const target = { url, ...(connect && { connect: () => connect(url) }) };
    return await remoteCommandAt(target, io, AbortSignal.any([signal, this.#closing.signal]));
  }

  async capacity(): Promise<Capacity> {
    const { stateDir, capacity } = this.#options;
    return await internally('the machine cannot be measured', async () => {
      await this.#context.store.prepare();
      return await machineCapacity(stateDir, capacity);
    });
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#context.calls.Version({}, { signal });
    const { status } = await this.#context.calls.Status({}, { signal });
    for (const { type, status: ready, reason, message } of status?.conditions ?? []) {
      if (ready || (type !== 'RuntimeReady' && type !== 'NetworkReady')) continue;
      const remedy = type === 'NetworkReady' ? 'Check the CNI configuration of the container runtime' : 'Check its log';
      throw new BackendError('unavailable', `container runtime is not ready: ${type}: ${message || reason}`, {
        remedy,
      });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new BackendError('unavailable', 'the backend was closed'));
    await this.#observing;
    const runners = Promise.all(Array.from(this.#runners.values(), (runner) => runner.close()));
    // What is under way ends better by itself; a runtime that hangs does not keep us.
    const patience = new AbortController();
    await Promise.race([runners, this.#context.clock.sleep(closeGraceMs, patience.signal)]);
    patience.abort();
    this.#client.close();
    await runners;
  }

  async #accept(workload: Workload, signal: AbortSignal): Promise<void> {
    const { calls, owner, clock, store } = this.#context;
    const [refusal] = this.review(workload.pod).refusals;
    if (refusal) throw new BackendError('invalid', `${refusal.field}: ${refusal.message}`, { remedy: refusal.remedy });
    // Nothing is accepted that the runtime cannot be asked about. What it already has of this pod, the runner completes.
    const filter = { labelSelector: podSelector(owner, workload.ref.uid) };
    await calls.ListPodSandbox({ filter }, { signal });
    const intent = { acceptedAt: clock.now(), podIPs: [] };
    await internally('the workload could not be stored', () => store.create({ workload, intent }));
    this.#run(workload, intent);
    for (const notice of unenforced(workload)) this.#context.hub.notice(workload.ref, notice);
  }

  /** Takes up what another process has left. */
  async #adopt(): Promise<void> {
    const { store, logger } = this.#context;
    for (const uid of await store.list()) {
      if (this.#runners.has(uid)) continue;
      try {
        const stored = await store.read(uid);
        // Stored by halves: the process died before anything of the instance was made.
        if (stored) this.#run(stored.workload, stored.intent);
        else await store.discard(uid);
      } catch (error) {
        logger.error({ uid, err: error }, 'a stored instance cannot be taken up');
      }
    }
  }

  #run(workload: Workload, intent: Intent): PodRunner {
    const { uid } = workload.ref;
    const runner = new PodRunner(this.#context, workload, intent);
    this.#runners.set(uid, runner);
    void this.#forgetOnceGone(runner);
    runner.wake();
    return runner;
  }

  async #forgetOnceGone(runner: PodRunner): Promise<void> {
    await runner.whenGone;
    this.#runners.delete(runner.ref.uid);
    this.#removed.set(runner.ref.uid, this.#observer.sequence);
  }

  async #take({ pods, sequence }: PodListing): Promise<void> {
    const compared = Array.from(this.#runners.values(), (runner) =>
      runner.compare(pods.get(runner.ref.uid)?.signature ?? ''),
    );
    // Listings may overtake each other. An older one says nothing of what is unknown: it may have been removed since.
    if (sequence > this.#taken) {
      this.#taken = sequence;
      const unknown = Array.from(pods).filter(
        ([uid]) => !this.#runners.has(uid) && (this.#removed.get(uid) ?? 0) < sequence,
      );
      for (const [uid, during] of this.#removed) if (during < sequence) this.#removed.delete(uid);
      await Promise.all(unknown.map(([uid, pod]) => this.#once(uid, () => this.#takeUp(pod))));
    }
    await Promise.all(compared);
    if (sequence % rotateEveryListings === 0) await this.#rotateLogs();
  }

  async #takeUp(pod: ListedPod): Promise<void> {
    const message = 'an instance with our marks is not in the state folder; it is taken up as it is';
    this.#context.logger.warn({ ...pod.ref }, message);
    const workload = orphanWorkload(pod);
    const intent = { acceptedAt: pod.createdAt, podIPs: [] };
    await this.#context.store.create({ workload, intent });
    await this.#run(workload, intent).refresh();
  }

  /** However many ask at the same time, a pod is taken in once. */
  async #once(uid: string, takeIn: () => Promise<void>): Promise<void> {
    const under = this.#accepting.get(uid) ?? takeIn().finally(() => this.#accepting.delete(uid));
    this.#accepting.set(uid, under);
    await under;
  }

  async #rotateLogs(): Promise<void> {
    const { store, calls, clock, logger } = this.#context;
    const limits = { maxBytes: this.#options.logMaxBytes, maxFiles: this.#options.logMaxFiles };
    for (const { ref, observed } of this.#runners.values()) {
      for (const { id, name, attempt, state } of observed.containers) {
        if (state !== 'running') continue;
        const path = join(store.logDirectoryOf(ref), logPath(name, attempt));
        await rotateLog(path, limits, new Date(clock.now()), () => calls.ReopenContainerLog({ containerId: id })).catch(
          (error: unknown) => logger.warn({ uid: ref.uid, container: name, err: error }, 'a log could not be rotated'),
        );
      }
    }
  }

  /** An instance that only the runtime knows is found, too. */
  async #find(ref: InstanceRef, signal: AbortSignal): Promise<PodRunner | undefined> {
    this.#assertPrepared();
    await this.#accepting.get(ref.uid)?.catch(() => undefined);
    if (!this.#runners.has(ref.uid)) await this.#take(await this.#observer.list(signal));
    return this.#runners.get(ref.uid);
  }

  async #get(ref: InstanceRef, signal: AbortSignal): Promise<PodRunner> {
    const runner = await this.#find(ref, signal);
    if (runner) return runner;
    throw new BackendError('notFound', `pod ${ref.namespace}/${ref.name} (${ref.uid}) does not run here`);
  }

  #assertPrepared(): void {
    if (this.#observing) return;
    throw new BackendError('unavailable', `container runtime at ${this.#options.socket} was not reached yet`);
  }
}

/** The backend throws nothing but BackendErrors. */
async function internally<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackendError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new BackendError('internal', `${what}: ${message}`, { cause: error });
  }
}

/** Stops waiting when the signal aborts; what was begun goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new BackendError('unavailable', 'nobody waits any more', { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
