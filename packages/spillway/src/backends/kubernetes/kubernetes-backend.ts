import {
  type Clock,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isNotFound,
  type KubeClient,
  type Logger,
  nameOf,
  nodes,
  type Pod,
  type ResourceClient,
  resourceQuotas,
  type Secret,
  uidOf,
} from '@spillway/kube';
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
  type Notice,
  type Owner,
  type PortForwarder,
  type Refusal,
  type Review,
  type StopOptions,
  type Workload,
} from '../backend.ts';
import { EventHub } from '../event-hub.ts';
import { capacityOf, isComplete } from './capacity.ts';
import { changePod } from './changes/change-pod.ts';
import { CopyKeeper } from './copies/copy-keeper.ts';
import type { Dialect } from './dialect.ts';
import { backendError } from './errors.ts';
import { reviewPod } from './fields/fields.ts';
import { Instances } from './pods/instances.ts';
import { creating, deleting, reading, syncing } from './lanes.ts';
import { distinctPodName } from './pods/names.ts';
import { addEphemeralContainers } from './pods/ephemeral-containers.ts';
import { observe } from './pods/observe.ts';
import { untilPlaced } from './pods/place-waiting.ts';
import {
  assertRunning,
  logQuery,
  openPorts,
  openStreams,
  type PodStream,
  readLog,
  streamPath,
} from './pods/streams.ts';
import { taken } from './pods/taken.ts';
import { knowsHostnameOverride } from './fields/identity.ts';
import { translate, type TranslateOptions } from './fields/translate.ts';
import { unlessReplaced } from './copies/unless-replaced.ts';
import { changeVolumes } from './copies/volume-change.ts';

export interface KubernetesBackendDependencies {
  readonly dialect: Dialect;
  /** In the other cluster. */
  readonly namespace: string;
  readonly owner: Owner;
  readonly logger: Logger;
  /** Called once. The connection is closed with the backend. */
  readonly connect: () => Promise<Connection>;
  /** Makes what pods need before the first: called by each `prepare`. */
  readonly prepare: (client: KubeClient, signal: AbortSignal, tell: (notice: Notice) => void) => Promise<void>;
  /** What a workload needs besides copies is made here, and what has to be otherwise in the other cluster is changed. */
  readonly adapt?: (workload: Workload, context: AdaptContext, signal: AbortSignal) => Promise<Workload>;
  /** Pull Secrets of a pod have changed: `secrets` are all of them. Default: only their copies follow */
  readonly changeLogins?: (
    pod: Pod,
    secrets: ReadonlyMap<string, Secret>,
    context: AdaptContext,
    signal: AbortSignal,
  ) => Promise<void>;
  /** See {@link TranslateOptions}. */
  readonly hostsImage?: string | undefined;
  /** A pod that has no place in the other cluster after this time is removed, and counts as sold out. Default: it waits. */
  readonly placeWithinMs?: number;
  readonly clock?: Clock | undefined;
}

export interface Connection {
  readonly client: KubeClient;
  close(): Promise<void>;
}

export interface AdaptContext {
  readonly client: KubeClient;
  readonly ref: InstanceRef;
  /** Tells it on the pod. */
  readonly tell: (notice: Notice) => void;
}

/** What works on the other cluster, once there is a client. */
interface Connected extends Connection {
  readonly pods: ResourceClient<Pod>;
  readonly instances: Instances;
  readonly copies: CopyKeeper;
}

/** How long an ending pod is waited for before it is let go of: a node that does not answer never says that it has ended. */
const endPatienceMs = 30_000;

/** Runs pods in a namespace of another cluster. */
export class KubernetesBackend implements Backend {
  readonly #dependencies: KubernetesBackendDependencies;
  readonly #hub = new EventHub();
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<unknown>>();
  #connecting: Promise<Connected> | undefined;
  #observing = false;
  #version = 'unknown';

  constructor(dependencies: KubernetesBackendDependencies) {
    this.#dependencies = dependencies;
  }

  get capabilities(): Capabilities {
    const { name, architecture, verbs, volumeUpdates, clusterServices } = this.#dependencies.dialect;
    return {
      runtimeVersion: `${name}://${this.#version}`,
      ...(architecture !== undefined && { architecture }),
      logs: true,
      exec: true,
      ...verbs,
      volumeUpdates,
      pullSecretUpdates: true,
      clusterServices,
    };
  }

  review(pod: Pod): Review {
    return reviewPod(pod, this.#dependencies.dialect);
  }

  async prepare(signal: AbortSignal, tell: (notice: Notice) => void = () => undefined): Promise<void> {
    await this.#do('prepare the namespace', async ({ client, instances, copies }) => {
      this.#version = this.#dependencies.dialect.version ?? (await versionOf(client, signal));
      await this.#dependencies.prepare(client, signal, tell);
      if (this.#observing) return;
      this.#observing = true;
      this.#inBackground(instances.run(this.#closing.signal));
      this.#tidy(copies);
    });
  }

  async create(workload: Workload, signal: AbortSignal): Promise<void> {
    const { namespace, name } = workload.ref;
    await this.#do(`create pod ${namespace}/${name}`, async (connected) => {
      await this.#create(await this.#adapted(workload, connected, signal), connected, signal);
      await this.#placed(workload.ref, connected, signal);
    });
  }

  async stop(ref: InstanceRef, { graceSeconds }: StopOptions, signal: AbortSignal): Promise<void> {
    await this.#do(`stop pod ${ref.namespace}/${ref.name}`, async ({ pods, instances, copies }) => {
      const found = await instances.pods({ signal, lane: deleting }, ref.uid);
      for (const pod of found) {
        if (observe(ref, pod).state !== 'ended') await deletePod(pods, pod, graceSeconds, signal);
      }
      copies.release(found);
    });
  }

  async update(ref: InstanceRef, change: InstanceChange, signal: AbortSignal): Promise<readonly Refusal[]> {
    return await this.#do(`change pod ${ref.namespace}/${ref.name}`, async (connected) => {
      await changeVolumes(ref, change, { ...this.#dependencies, ...connected }, signal);
      await this.#changeLogins(ref, change, connected, signal);
      return change.workload === undefined ? [] : await this.#changePod(change.workload, connected, signal);
    });
  }

  async remove(ref: InstanceRef, signal: AbortSignal): Promise<void> {
    await this.#do(`remove pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const { instances, copies } = connected;
      const found = await instances.pods({ signal, lane: deleting }, ref.uid);
      await Promise.all(found.map((pod) => this.#remove(connected, ref, pod, signal)));
      copies.release(found);
      // Also when the pod was gone already.
      this.#tidy(copies);
    });
  }

  async list(signal: AbortSignal): Promise<Listing> {
    return await this.#do('list pods', async ({ instances, copies }) => {
      const pods = instances.pods({ signal, lane: reading });
      // Pods also go without being removed by us, and their copies with them.
      const known = pods.catch(() => undefined);
      this.#tidyingUp(copies.removeUnused(known, this.#closing.signal));
      return instances.listing(await pods);
    });
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    return this.#hub.watch(this.#untilClosed(signal));
  }

  async logs(
    ref: InstanceRef,
    container: string,
    options: LogOptions,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#do(`read the log of ${container} in pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const query = logQuery(container, options, this.#dependencies.dialect, new Date());
      const path = this.#streamPath(await this.#find(connected, ref, signal), 'log');
      await readLog(connected.client, path, query, sink, this.#untilClosed(signal));
    });
  }

  async exec(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    io: ContainerStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    return await this.#do(`run a command in ${container} of pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const pod = await this.#find(connected, ref, signal);
      assertRunning(pod, container);
      const path = this.#streamPath(pod, 'exec');
      return await openStreams(connected.client, path, { container, command }, io, this.#untilClosed(signal));
    });
  }

  async attach(ref: InstanceRef, container: string, io: ContainerStreams, signal: AbortSignal): Promise<ExecResult> {
    return await this.#do(`attach to ${container} of pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const pod = await this.#find(connected, ref, signal);
      assertRunning(pod, container);
      const path = this.#streamPath(pod, 'attach');
      return await openStreams(connected.client, path, { container }, io, this.#untilClosed(signal));
    });
  }

  async portForward(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder> {
    return await this.#do(`forward ports of pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const path = this.#streamPath(await this.#find(connected, ref, signal), 'portforward');
      return await openPorts(connected.client, path, this.#untilClosed(signal));
    });
  }

  async capacity(signal: AbortSignal): Promise<Capacity> {
    const { namespace, dialect } = this.#dependencies;
    if (dialect.capacity) return dialect.capacity;
    return await this.#do('learn what the cluster offers', async ({ client }) => {
      const { items: quotas } = await client.resource(resourceQuotas).list({ namespace, signal });
      if (isComplete(quotas)) return capacityOf(quotas, []);
      try {
        return capacityOf(quotas, (await client.resource(nodes).list({ signal })).items);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        const remedy = 'Set capacity of the pool, or a ResourceQuota with cpu, memory and pods in the namespace.';
        throw new BackendError('unauthorized', error.message, { cause: error, remedy });
      }
    });
  }

  async ping(signal: AbortSignal): Promise<void> {
    const { namespace } = this.#dependencies;
    await this.#do('reach the cluster', ({ pods }) =>
      pods.list({ namespace, limit: 1, signal, lane: reading, retry: false }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(new BackendError('unavailable', 'the backend was closed'));
    await Promise.all(this.#background);
    const connected = await this.#connecting?.catch(() => undefined);
    await connected?.close();
  }

  async #adapted(workload: Workload, { client }: Connected, signal: AbortSignal): Promise<Workload> {
    const { adapt } = this.#dependencies;
    return adapt === undefined ? workload : await adapt(workload, this.#context(workload.ref, client), signal);
  }

  #context(ref: InstanceRef, client: KubeClient): AdaptContext {
    return { client, ref, tell: (notice) => this.#hub.notice(ref, notice) };
  }

  async #placed(ref: InstanceRef, connected: Connected, signal: AbortSignal): Promise<void> {
    const { placeWithinMs } = this.#dependencies;
    if (placeWithinMs !== undefined) await untilPlaced(ref, placeWithinMs, connected, this.#untilClosed(signal));
  }

  async #create(workload: Workload, { pods, instances, copies }: Connected, signal: AbortSignal): Promise<void> {
    const { dialect, namespace } = this.#dependencies;
    const { ref } = workload;
    const translation = translate(workload, this.#translation(dialect.podName(ref)));
    const create = async (): Promise<void> => {
      // Its copies may be gone when it came late, by a call whose answer was lost; whatever name that chose.
      const [there] = await instances.pods({ signal }, ref.uid);
      if (!there) await this.#post(translation.pod, ref, pods, signal);
    };
    try {
      await copies.with(translation.copies, create, { signal });
    } catch (error) {
      this.#tidy(copies);
      if (!isNotFound(error) && !isEndingNamespace(error)) throw error;
      const message = `${dialect.name}: namespace ${namespace} ${isNotFound(error) ? 'does not exist' : 'is being deleted'}`;
      // So that it is prepared again.
      throw new BackendError('notFound', message, { cause: error, reason: 'NamespaceMissing' });
    }
  }

  async #post(pod: Pod, ref: InstanceRef, pods: ResourceClient<Pod>, signal: AbortSignal): Promise<void> {
    const { owner, namespace } = this.#dependencies;
    for (const name of [nameOf(pod), distinctPodName(ref)]) {
      try {
        await pods.create({ ...pod, metadata: { ...pod.metadata, name } }, { signal, lane: creating });
        return;
      } catch (error) {
        if (!isAlreadyExists(error)) throw error;
      }
      const verdict = taken(await pods.get({ namespace, name }, { signal }), ref, owner);
      if (verdict.kind === 'done') return;
      if (verdict.kind === 'refused') throw verdict.error;
    }
    throw new BackendError('conflict', `all names for pod ${ref.namespace}/${ref.name} are taken`);
  }

  async #remove({ pods, instances }: Connected, ref: InstanceRef, pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace, dialect } = this.#dependencies;
    await deletePod(pods, pod, 0, signal);
    if (dialect.finalizer === undefined) return;
    const patience = AbortSignal.any([this.#untilClosed(signal), AbortSignal.timeout(endPatienceMs)]);
    const ended = (last: Pod | undefined): boolean => last === undefined || observe(ref, last).state === 'ended';
    await instances.seen(ref.uid, ended, patience);
    signal.throwIfAborted();
    const body = { metadata: { uid: uidOf(pod), '$deleteFromPrimitiveList/finalizers': [dialect.finalizer] } };
    const call = { signal, lane: deleting };
    await pods.patch({ namespace, name: nameOf(pod) }, { type: 'strategic', body }, call).catch(unlessReplaced);
    // Its grace may have been running on; without one it goes with the last finalizer.
    await deletePod(pods, pod, 0, signal);
  }

  #translation(name: string): TranslateOptions {
    const { dialect, owner, namespace, hostsImage } = this.#dependencies;
    return { dialect, owner, namespace, name, hostsImage, hostnameOverride: knowsHostnameOverride(this.#version) };
  }

  async #changePod(workload: Workload, connected: Connected, signal: AbortSignal): Promise<readonly Refusal[]> {
    const { dialect } = this.#dependencies;
    const { ref } = workload;
    const [found] = await connected.instances.pods({ signal, lane: syncing }, ref.uid);
    if (!found || found.metadata?.deletionTimestamp !== undefined) return [];
    const adapted = await this.#adapted(workload, connected, signal);
    const { pod, copies, ephemeralContainers } = translate(adapted, this.#translation(nameOf(found)));
    await connected.copies.bring(copies, { signal, lane: syncing });
    // First, for the marks that changePod writes say how far the pod has come.
    const refused = await addEphemeralContainers(connected.pods, found, ephemeralContainers, dialect, signal);
    return [...refused, ...(await changePod(connected.pods, found, pod, dialect, signal))];
  }

  async #changeLogins(
    ref: InstanceRef,
    { objects, pullSecrets }: InstanceChange,
    { client, instances }: Connected,
    signal: AbortSignal,
  ): Promise<void> {
    const { changeLogins } = this.#dependencies;
    if (pullSecrets === undefined || changeLogins === undefined) return;
    const [pod] = await instances.pods({ signal, lane: syncing }, ref.uid);
    const secrets = new Map([...objects.secrets].filter(([name]) => pullSecrets.includes(name)));
    if (pod) await changeLogins(pod, secrets, this.#context(ref, client), signal);
  }

  async #find({ instances }: Connected, ref: InstanceRef, signal: AbortSignal): Promise<Pod> {
    const [pod] = await instances.pods({ signal, lane: reading }, ref.uid);
    if (pod) return pod;
    throw new BackendError('notFound', `pod ${ref.namespace}/${ref.name} is not in the other cluster`);
  }

  #untilClosed(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  #streamPath(pod: Pod, stream: PodStream): string {
    const { namespace, dialect } = this.#dependencies;
    return streamPath(dialect.types.pods, { namespace, name: nameOf(pod) }, stream);
  }

  #tidy(copies: CopyKeeper): void {
    this.#tidyingUp(copies.tidy(this.#closing.signal));
  }

  #tidyingUp(tidying: Promise<void>): void {
    const { logger } = this.#dependencies;
    const told = tidying.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) logger.warn({ err: error }, 'unused copies of ConfigMaps and Secrets remain');
    });
    this.#inBackground(told);
  }

  #inBackground(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  async #do<T>(doing: string, work: (connected: Connected) => Promise<T>): Promise<T> {
    try {
      this.#connecting ??= this.#connect();
      return await work(await this.#connecting);
    } catch (error) {
      throw backendError(error, doing, this.#dependencies.dialect);
    }
  }

  async #connect(): Promise<Connected> {
    const { connect, dialect, owner, namespace, logger, clock } = this.#dependencies;
    try {
      const connection = await connect();
      const { client } = connection;
      const instances = new Instances({ client, dialect, owner, namespace, hub: this.#hub, logger });
      const pods = (signal: AbortSignal): Promise<Pod[]> => instances.pods({ signal, lane: syncing });
      const copies = new CopyKeeper({ client, dialect, owner, namespace, pods, clock });
      const close = (): Promise<void> => connection.close();
      return { client, close, pods: client.resource(dialect.types.pods), instances, copies };
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }
}

const isEndingNamespace = (error: unknown): boolean =>
  isForbidden(error) && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;

async function versionOf(client: KubeClient, signal: AbortSignal): Promise<string> {
  const { gitVersion } = await client.request<{ gitVersion?: string }>({ method: 'GET', path: '/version', signal });
  return gitVersion ?? 'unknown';
}

/** Success when it is gone, also when another has its name. */
async function deletePod(
  pods: ResourceClient<Pod>,
  pod: Pod,
  gracePeriodSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid } = pod.metadata ?? {};
  try {
    await pods.delete({ namespace, name }, { gracePeriodSeconds, preconditions: { uid }, signal, lane: deleting });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
