import { type Clock, type KubeClient, type Logger, nameOf, type Pod, type Secret } from '@spillway/kube';
import type { Support } from '../../podspec/fit/support.ts';
import {
  type Backend,
  BackendError,
  type Capabilities,
  type BackendObject,
  type Capacity,
  type Dismantled,
  type DismantleOptions,
  type EndedInSilence,
  type ExecResult,
  type HeartbeatTerms,
  type InstanceChange,
  type InstanceEvent,
  type InstanceRef,
  type InstanceUsage,
  type Listing,
  type LogOptions,
  type LogSink,
  type Notice,
  type OfferedStreams,
  type Owner,
  type PortForwarder,
  type Refusal,
  type StopOptions,
  type Workload,
} from '../backend.ts';
import { EventHub } from '../event-hub.ts';
import { readCapacity } from './capacity.ts';
import { changeInstance } from './changes/change-instance.ts';
import { type Connected, type Connection, OtherCluster } from './connection.ts';
import type { Dialect } from './dialect.ts';
import { dismantle } from './dismantle/dismantle.ts';
import type { Home } from './dismantle/home.ts';
import { knowsHostnameOverride } from './fields/identity.ts';
import { type TranslateOptions, translate, type Translation } from './fields/translate.ts';
import { deleting, reading } from './lanes.ts';
import { createPod } from './pods/creation.ts';
import { LogPart } from './pods/log-part.ts';
import { observe } from './pods/observe.ts';
import { whyUnplaced } from './pods/place.ts';
import type { Double } from './pods/instances.ts';
import { deletePod, endDouble, removePod } from './pods/removal.ts';
import {
  assertRunning,
  isRunning,
  logQuery,
  openPorts,
  openStreams,
  type PodStream,
  readLog,
  streamPath,
} from './pods/streams.ts';
import { readUsage } from './pods/usage.ts';

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
  /** Takes away logins that no pod uses any more: called in the background at the beginning and after each removal. */
  readonly tidyLogins?: (client: KubeClient, signal: AbortSignal, removed?: InstanceRef) => Promise<void>;
  /** Takes away those that no pod uses, at the end. */
  readonly forgetLogins?: (client: KubeClient, signal: AbortSignal) => Promise<BackendObject | undefined>;
  readonly home: Home;
  /** Of the job that ends pods after a silence. Default: none is made */
  readonly deadManImage?: string | undefined;
  /** See {@link TranslateOptions}. */
  readonly hostsImage?: TranslateOptions['hostsImage'];
  /** See {@link Capabilities}. */
  readonly placeWithinMs?: number;
  readonly clock?: Clock | undefined;
}

export interface AdaptContext {
  readonly client: KubeClient;
  readonly ref: InstanceRef;
  /** Tells it on the pod. */
  readonly tell: (notice: Notice) => void;
}

/** Runs pods in a namespace of another cluster. */
export class KubernetesBackend implements Backend {
  readonly #dependencies: KubernetesBackendDependencies;
  readonly #hub = new EventHub();
  readonly #cluster: OtherCluster;
  #observing = false;
  #version = 'unknown';

  constructor(dependencies: KubernetesBackendDependencies) {
    this.#dependencies = dependencies;
    this.#cluster = new OtherCluster({ ...dependencies, hub: this.#hub });
  }

  get capabilities(): Capabilities {
    const { placeWithinMs } = this.#dependencies;
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
      ...(placeWithinMs !== undefined && { placeWithinMs }),
    };
  }

  get support(): Support {
    return this.#dependencies.dialect.support;
  }

  async prepare(signal: AbortSignal, tell: (notice: Notice) => void = () => undefined): Promise<void> {
    await this.#cluster.do('prepare the namespace', async ({ client, instances, copies }) => {
      this.#version = this.#dependencies.dialect.version ?? (await versionOf(client, signal));
      await this.#dependencies.prepare(client, signal, tell);
      if (this.#observing) return;
      this.#observing = true;
      this.#cluster.inBackground((closing) => instances.run(closing));
      this.#cluster.tidy((closing) => copies.tidy(closing));
      this.#tidyLogins(client);
    });
  }

  async create(workload: Workload, signal: AbortSignal): Promise<void> {
    const { ref } = workload;
    await this.#cluster.do(`create pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const translation = await this.#translated(workload, connected, signal);
      try {
        await createPod(ref, translation, { ...this.#dependencies, ...connected }, signal);
      } catch (error) {
        this.#cluster.tidy((closing) => connected.copies.tidy(closing));
        throw error;
      }
      for (const notice of translation.notices) this.#hub.notice(ref, notice);
    });
  }

  async withdraw(ref: InstanceRef, signal: AbortSignal): Promise<boolean> {
    return await this.#cluster.do(`take back pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const { pods, instances } = connected;
      const pod = await instances.find({ signal, lane: deleting }, ref.uid);
      if (!pod) return true;
      if (whyUnplaced(pod) === undefined) return false;
      // One that has changed since it was read may have got a place.
      const isWithdrawn = await deletePod(pods, pod, { gracePeriodSeconds: 0, unchanged: true, signal });
      if (isWithdrawn) this.#tidyAfter([pod], ref, connected);
      return isWithdrawn;
    });
  }

  async stop(ref: InstanceRef, { graceSeconds }: StopOptions, signal: AbortSignal): Promise<void> {
    await this.#cluster.do(`stop pod ${ref.namespace}/${ref.name}`, async ({ pods, instances, copies }) => {
      const found = await instances.pods({ signal, lane: deleting }, ref.uid);
      for (const pod of found) {
        if (observe(ref, pod).state !== 'ended') {
          await deletePod(pods, pod, { gracePeriodSeconds: graceSeconds, signal });
        }
      }
      copies.release(found);
    });
  }

  async update(ref: InstanceRef, change: InstanceChange, signal: AbortSignal): Promise<readonly Refusal[]> {
    const { changeLogins } = this.#dependencies;
    return await this.#cluster.do(`change pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const translated = (workload: Workload): Promise<Translation> => this.#translated(workload, connected, signal);
      const context = this.#context(ref, connected);
      const loginsChanged =
        changeLogins &&
        ((pod: Pod, secrets: ReadonlyMap<string, Secret>): Promise<void> =>
          changeLogins(pod, secrets, context, signal));
      return await changeInstance(
        ref,
        change,
        { ...this.#dependencies, ...connected, translated, loginsChanged },
        signal,
      );
    });
  }

  async remove(ref: InstanceRef, signal: AbortSignal): Promise<void> {
    await this.#cluster.do(`remove pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const found = await connected.instances.pods({ signal, lane: deleting }, ref.uid);
      const context = { ...this.#dependencies, ...connected };
      await Promise.all(found.map((pod) => removePod(ref, pod, context, signal)));
      // Also when the pod was gone already.
      this.#tidyAfter(found, ref, connected);
    });
  }

  async list(signal: AbortSignal): Promise<Listing> {
    return await this.#cluster.do('list pods', async (connected) => {
      const { instances, copies } = connected;
      const pods = instances.pods({ signal, lane: reading });
      // Pods also go without being removed by us, and their copies with them.
      const known = pods.catch(() => undefined);
      this.#cluster.tidy((closing) => copies.removeUnused(known, closing));
      const { listing, doubles } = instances.listing(await pods);
      for (const double of doubles) {
        const { namespace, name } = double.ref;
        const remains = `two instances of pod ${namespace}/${name} remain`;
        this.#cluster.tidy((closing) => this.#end(double, connected, closing), remains);
      }
      return listing;
    });
  }

  watch(signal: AbortSignal): AsyncIterable<InstanceEvent> {
    return this.#hub.watch(this.#cluster.untilClosed(signal));
  }

  async logs(
    ref: InstanceRef,
    container: string,
    options: LogOptions,
    sink: LogSink,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#cluster.do(`read the log of ${container} in pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const query = logQuery(container, options, this.#dependencies.dialect, new Date());
      const path = await this.#pathOf('log', ref, connected, signal);
      const { since } = options;
      const part = since === undefined ? undefined : new LogPart({ ...options, since });
      await readLog(connected.client, path, query, { sink, part }, this.#cluster.untilClosed(signal));
    });
  }

  async exec(
    ref: InstanceRef,
    container: string,
    command: readonly string[],
    streams: OfferedStreams,
    signal: AbortSignal,
  ): Promise<ExecResult> {
    return await this.#cluster.do(
      `run a command in ${container} of pod ${ref.namespace}/${ref.name}`,
      async (connected) => {
        const path = await this.#pathOf('exec', ref, connected, signal, container);
        return await openStreams(
          connected.client,
          path,
          { container, command },
          streams,
          this.#cluster.untilClosed(signal),
        );
      },
    );
  }

  async attach(ref: InstanceRef, container: string, streams: OfferedStreams, signal: AbortSignal): Promise<ExecResult> {
    return await this.#cluster.do(`attach to ${container} of pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const path = await this.#pathOf('attach', ref, connected, signal, container);
      return await openStreams(connected.client, path, { container }, streams, this.#cluster.untilClosed(signal));
    });
  }

  async portForward(ref: InstanceRef, signal: AbortSignal): Promise<PortForwarder> {
    return await this.#cluster.do(`forward ports of pod ${ref.namespace}/${ref.name}`, async (connected) => {
      const path = await this.#pathOf('portforward', ref, connected, signal);
      return await openPorts(connected.client, path, this.#cluster.untilClosed(signal));
    });
  }

  async usage(signal: AbortSignal): Promise<readonly InstanceUsage[]> {
    return await this.#cluster.do('read what pods use', (connected) =>
      readUsage({ ...this.#dependencies, ...connected }, signal),
    );
  }

  async capacity(signal: AbortSignal): Promise<Capacity> {
    const { namespace, dialect } = this.#dependencies;
    if (dialect.capacity) return dialect.capacity;
    return await this.#cluster.do('learn what the cluster offers', ({ client }) =>
      readCapacity(client, namespace, signal),
    );
  }

  async ping(signal: AbortSignal): Promise<void> {
    const { namespace } = this.#dependencies;
    await this.#cluster.do('reach the cluster', ({ pods }) =>
      pods.list({ namespace, limit: 1, signal, lane: reading, retry: false }),
    );
  }

  async dismantle(signal: AbortSignal, options: DismantleOptions = {}): Promise<Dismantled> {
    const { namespace, forgetLogins } = this.#dependencies;
    return await this.#cluster.do(`remove the namespace ${namespace}`, (connected) =>
      dismantle({ ...this.#dependencies, ...connected, forgetLogins }, options, signal),
    );
  }

  async renewHeartbeat(terms: HeartbeatTerms, signal: AbortSignal): Promise<EndedInSilence | undefined> {
    return await this.#cluster.do('renew the heartbeat', ({ deadMan }) => deadMan.renew(terms, signal));
  }

  async endHeartbeat(signal: AbortSignal): Promise<void> {
    await this.#cluster.do('remove the heartbeat', ({ deadMan }) => deadMan.end(signal));
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  /** Who has begun it tells it, once. */
  async #end({ ref, pod, kept }: Double, { pods }: Connected, signal: AbortSignal): Promise<void> {
    const { dialect, namespace } = this.#dependencies;
    if (!(await endDouble(pod, { pods, dialect }, signal))) return;
    const message = `There were two instances of this pod in namespace ${namespace} of the other cluster: ${kept} is kept, ${nameOf(pod)} is being ended.`;
    this.#hub.double(ref, message);
  }

  /** Takes away what nobody needs any more without these pods of one UID. */
  #tidyAfter(removed: readonly Pod[], ref: InstanceRef, { client, copies }: Connected): void {
    copies.release(removed);
    this.#cluster.tidy((closing) => copies.tidy(closing));
    this.#tidyLogins(client, ref);
  }

  #tidyLogins(client: KubeClient, removed?: InstanceRef): void {
    const { tidyLogins } = this.#dependencies;
    if (tidyLogins) this.#cluster.tidy((closing) => tidyLogins(client, closing, removed));
  }

  /** What the workload is in the other cluster. */
  async #translated(workload: Workload, connected: Connected, signal: AbortSignal): Promise<Translation> {
    const { dialect, owner, namespace, hostsImage, adapt } = this.#dependencies;
    const adapted = adapt ? await adapt(workload, this.#context(workload.ref, connected), signal) : workload;
    const hostnameOverride = knowsHostnameOverride(this.#version);
    return translate(adapted, { dialect, owner, namespace, hostsImage, hostnameOverride });
  }

  #context(ref: InstanceRef, { client }: Connected): AdaptContext {
    return { client, ref, tell: (notice) => this.#hub.notice(ref, notice) };
  }

  /** Where the stream of an instance's pod is. */
  async #pathOf(
    stream: PodStream,
    ref: InstanceRef,
    { instances }: Connected,
    signal: AbortSignal,
    runningContainer?: string,
  ): Promise<string> {
    const { namespace, dialect } = this.#dependencies;
    let pod = instances.lastSeen(ref.uid);
    // What was seen last may be old: nobody is refused for it.
    if (!pod || (runningContainer !== undefined && !isRunning(pod, runningContainer))) {
      pod = await instances.find({ signal, lane: reading }, ref.uid);
    }
    if (!pod) throw new BackendError('notFound', `pod ${ref.namespace}/${ref.name} is not in the other cluster`);
    if (runningContainer !== undefined) assertRunning(pod, runningContainer);
    return streamPath(dialect.types.pods, { namespace, name: nameOf(pod) }, stream);
  }
}

async function versionOf(client: KubeClient, signal: AbortSignal): Promise<string> {
  const { gitVersion } = await client.request<{ gitVersion?: string }>({ method: 'GET', path: '/version', signal });
  return gitVersion ?? 'unknown';
}
