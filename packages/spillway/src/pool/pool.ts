import { EventRecorder, type KubeClient, type Leadership, type Logger, systemClock, type Taint } from '@spillway/kube';
import {
  type Backend,
  BackendError,
  type Capacity,
  type Notice,
  type Owner,
  type PreparationState,
} from '../backends/backend.ts';
import type { PoolConfig } from '../config/config.ts';
import { followClientCa } from '../kubelet/certificate/client-ca.ts';
import { KubeletServer } from '../kubelet/server.ts';
import { kubeReviews } from '../kubelet/auth/reviews.ts';
import type { TlsMaterial } from '../kubelet/tls.ts';
import { BackendHealth } from './backend-health.ts';
import { Blockade } from './blockade.ts';
import { NodeController } from '../node/node-controller.ts';
import type { NodeFacts } from '../node/node-object.ts';
import { LedgerRecorder } from '../ledger/ledger-recorder.ts';
import type { Metrics } from '../observability/metrics.ts';
import { virtualNodeLabels } from '../podspec/contract.ts';
import { podController } from '../pods/assemble.ts';
import type { PodController } from '../pods/pod-controller.ts';
import { PodEvents } from '../pods/pod-events.ts';
import { Preparation } from '../pods/preparation.ts';
import { certificateSource } from './serving-certificates.ts';
import { guardedBackend } from './guarded-backend.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { runTogether } from './task-group.ts';

export interface PoolOptions {
  readonly config: PoolConfig;
  readonly clusterId: string;
  /** Called once a pool, which closes what it gets. */
  readonly makeBackend: (owner: Owner, logger: Logger) => Backend;
  readonly serverVersion: string;
  readonly ownVersion: string;
  /** Where the API server reaches the kubelet API. */
  readonly address: string;
  /** The controller's own identity. */
  readonly controller: KubeClient;
  /** Absent: nobody else serves this pool. */
  readonly leadership?: Leadership;
  /** Is the API server that we talk to still the cluster of `clusterId`? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  /** Absent: what is billed is not written down. */
  readonly ledgerDirectory?: string | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const capacityIntervalMs = 60_000;
const listenRetryMs = 5000;
/** How long operations and statuses may take to finish on a graceful stop. */
const stopGraceMs = 5000;

/** One virtual node and its backend: puts the parts together, starts them and ends them in good order. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #logger: Logger;
  readonly #agent: KubeClient;
  readonly #backend: Backend;
  readonly #metrics: PoolMetrics;
  readonly #recorder: EventRecorder;
  readonly #health: BackendHealth;
  readonly #blockade: Blockade;
  readonly #preparation: Preparation;
  readonly #node: NodeController;
  readonly #ledger: LedgerRecorder | undefined;
  readonly #pods: PodController;
  readonly #kubelet: KubeletServer;
  readonly #capacityRead = Promise.withResolvers<void>();
  #listening = false;
  #tls: TlsMaterial = {};
  #capacity: Readonly<Record<string, string>>;

  constructor(options: PoolOptions) {
    const { config, controller, clusterId, address, leadership } = options;
    const { nodeName } = config;
    this.#options = options;
    this.#logger = options.logger.child({ pool: config.name });
    this.#metrics = new PoolMetrics(options.metrics, config.name);
    this.#agent = controller.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
    const backend = options.makeBackend({ clusterId, nodeName }, this.#logger);
    this.#backend = leadership === undefined ? backend : guardedBackend(backend, leadership);
    this.#capacity = configuredCapacity(config);
    this.#recorder = new EventRecorder({
      client: this.#agent,
      component: 'spillway',
      host: nodeName,
      queueLimit: 20_000,
      onDropped: (why) => this.#metrics.eventDropped(why),
      logger: this.#logger,
    });
    this.#health = new BackendHealth({
      backend: { ping: (signal) => this.#ping(signal) },
      intervalMs: config.ping.intervalSeconds * 1000,
      timeoutMs: config.ping.timeoutSeconds * 1000,
      sleep: systemClock.sleep,
      onChange: (state, before) =>
        this.#healthChanged(state.kind === 'unreachable' ? state.message : undefined, before.kind === 'unreachable'),
    });
    this.#blockade = new Blockade({ onChange: () => this.#blockadeChanged() });
    this.#preparation = new Preparation({
      backend: this.#backend,
      sleep: systemClock.sleep,
      onError: (error, retryInMs) =>
        this.#logger.error(
          { retryInSeconds: Math.round(retryInMs / 1000) },
          `cannot prepare the backend: ${messageOf(error)}`,
        ),
      onPrepared: () => {
        this.#logger.info({ runtime: this.#backend.capabilities.runtimeVersion }, 'backend prepared');
        this.#node.refresh();
        this.#pods.retryAll();
      },
      onChange: (state, severity, before) => this.#preparationChanged(state, severity, before),
    });
    this.#node = new NodeController({
      nodeName,
      controller,
      agent: this.#agent,
      facts: () => this.#nodeFacts(),
      logger: this.#logger,
      observer: this.#metrics,
      sleep: systemClock.sleep,
    });
    const events = new PodEvents({
      recorder: this.#recorder,
      onRecorded: (type) => this.#metrics.eventRecorded(type),
    });
    const { ledgerDirectory: directory } = options;
    this.#ledger =
      directory === undefined
        ? undefined
        : new LedgerRecorder({
            directory,
            pool: config.name,
            node: nodeName,
            sizing: config.sizing,
            now: systemClock.now,
            sleep: systemClock.sleep,
            logger: this.#logger,
          });
    this.#pods = podController({
      node: {
        name: nodeName,
        taints: taintsOf(config),
        labels: virtualNodeLabels,
        sizing: config.sizing,
        daemonSets: config.daemonSets,
        facts: () => ({
          hostIPs: [address],
          allocatable: this.#capacity,
          dns: { clusterServers: config.dns.clusterDNS, clusterDomain: config.dns.clusterDomain },
        }),
      },
      cluster: { agent: this.#agent, controller, confirm: options.confirmCluster },
      backend: this.#backend,
      preparation: this.#preparation,
      blockade: this.#blockade,
      sweep: {
        graceMs: config.sweep.graceSeconds * 1000,
        maxSweepFraction: config.sweep.maxFraction,
        suspicionMs: config.sweep.suspicionSeconds * 1000,
      },
      told: {
        record: (ref, notice) => events.record(ref, notice),
        recordOnNode: (notice) => this.#recordOnNode(notice),
        ledger: this.#ledger,
        metrics: this.#metrics,
        logger: this.#logger,
      },
      stopGraceMs: () => (leadership?.lost.aborted === true ? 0 : stopGraceMs),
    });
    this.#kubelet = new KubeletServer({
      pods: this.#pods.pods,
      backend: this.#backend,
      reviews: kubeReviews({ client: this.#agent, nodeName }),
      tls: {},
      logger: this.#logger,
      metricsPage: options.metrics,
      metrics: {
        requestServed: ({ route, status, durationMs }) =>
          this.#metrics.kubeletRequest(route, status, durationMs / 1000),
        streamsOpen: (count) => this.#metrics.kubeletStreams(count),
      },
    });
  }

  /** The node is registered, its API is served, and its pods and instances are known completely. */
  get ready(): boolean {
    return this.#pods.synced && this.#node.registered && this.#listening && this.#tls.cert !== undefined;
  }

  /**
   * Resolves when `signal` is aborted and everything is stopped in good order, or given up where it was because the
   * leadership is lost. Instances go on running.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { metrics, leadership } = this.#options;
    // What is under way for the node or its pods is another's business now.
    leadership?.lost.addEventListener('abort', () => void this.#agent.close(), { once: true });
    const looking = metrics.beforeRender(() => this.#snapshot());
    try {
      await this.#ledger?.load();
      await runTogether(signal, [
        (stop) => this.#health.run(stop),
        (stop) => this.#preparation.run(stop),
        (stop) => this.#followCapacity(stop),
        (stop) => this.#serveKubeletApi(stop),
        (stop) => this.#runNode(stop),
        (stop) => this.#pods.run(stop),
      ]);
    } finally {
      looking[Symbol.dispose]();
      await Promise.all([this.#recorder.close(), this.#ledger?.close()]);
      await Promise.all([this.#backend.close(), this.#agent.close()]);
    }
  }

  async #runNode(signal: AbortSignal): Promise<void> {
    // So that the node is not registered with a taint that goes a moment later.
    await Promise.all([this.#health.known, this.#capacityRead.promise]);
    await this.#node.run(signal);
  }

  async #serveKubeletApi(signal: AbortSignal): Promise<void> {
    const { config, address, controller } = this.#options;
    const source = certificateSource({
      config: config.servingCertificate,
      nodeName: config.nodeName,
      address,
      agent: this.#agent,
      controller,
      logger: this.#logger,
    });
    const following = [
      source.run((pair) => this.#useTls(pair), signal),
      followClientCa(
        { client: controller, logger: this.#logger, clock: systemClock },
        (clientCa) => this.#useTls({ clientCa }),
        signal,
      ),
    ];
    await Promise.all([this.#listen(signal), ...following]);
    await this.#kubelet.close();
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { kubeletPort: port } = this.#options.config;
    while (!signal.aborted) {
      try {
        await this.#kubelet.listen({ port });
        this.#listening = true;
        this.#logger.info({ port }, 'kubelet API listening');
        return;
      } catch (error) {
        this.#logger.error(
          { port, retryInSeconds: listenRetryMs / 1000 },
          `cannot listen for the kubelet API: ${messageOf(error)}`,
        );
        await systemClock.sleep(listenRetryMs, signal);
      }
    }
  }

  #useTls(part: TlsMaterial): void {
    this.#tls = { ...this.#tls, ...part };
    this.#kubelet.setTls(this.#tls);
  }

  async #followCapacity(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#readCapacity(signal);
      this.#capacityRead.resolve();
      await systemClock.sleep(capacityIntervalMs, signal);
    }
    this.#capacityRead.resolve();
  }

  async #readCapacity(signal: AbortSignal): Promise<void> {
    const configured = configuredCapacity(this.#options.config);
    try {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
      const reported: Capacity = await this.#backend.capacity(deadline);
      this.#capacity = { ...reported, ...configured };
      this.#node.refresh();
    } catch (error) {
      if (!signal.aborted) this.#logger.debug({ err: error }, 'the backend does not tell its capacity');
    }
  }

  async #ping(signal: AbortSignal): Promise<void> {
    try {
      await this.#backend.ping(signal);
    } catch (error) {
      if (!(error instanceof BackendError) || error.kind !== 'notFound') throw error;
      // It answers: what it lacks is not made yet, or somebody deleted it.
      this.#preparation.invalidate();
    }
  }

  #preparationChanged(state: PreparationState, severity: Notice['severity'], before: PreparationState): void {
    this.#node.refresh();
    if (state.kind === 'unprepared') {
      this.#logger.info({ reason: state.reason }, `the backend is not prepared: ${state.message}`);
      this.#recordOnNode({ severity, reason: state.reason, message: state.message });
    } else if (before.kind === 'unprepared') {
      this.#recordOnNode({ severity, reason: 'BackendPrepared', message: 'everything is there that pods need' });
    }
  }

  /** As the kubelet's events on nodes: the name in place of the UID. */
  #recordOnNode({ severity, reason, message }: Notice): void {
    const name = this.#options.config.nodeName;
    this.#recorder.record({ apiVersion: 'v1', kind: 'Node', name, uid: name }, { type: severity, reason, message });
  }

  #healthChanged(problem: string | undefined, wasUnreachable: boolean): void {
    this.#metrics.backendReachable(problem === undefined);
    this.#node.refresh();
    if (problem !== undefined) {
      this.#logger.error({}, `the backend is not reachable: ${problem}; the node stays Ready and takes no new pods`);
      return;
    }
    if (!wasUnreachable) return;
    this.#logger.info({}, 'the backend is reachable again');
    // It may have lost what was prepared.
    this.#preparation.invalidate();
    this.#pods.retryAll();
  }

  #blockadeChanged(): void {
    const { blocked } = this.#blockade;
    this.#metrics.blocked(blocked !== undefined);
    this.#node.refresh();
    if (blocked) this.#logger.warn({ reason: blocked.reason }, `the pool takes no new pods: ${blocked.message}`);
    else this.#logger.info({}, 'the pool takes new pods again');
  }

  #nodeFacts(): NodeFacts {
    const { config, clusterId, address, serverVersion, ownVersion } = this.#options;
    const here = process.arch === 'x64' ? 'amd64' : process.arch;
    const { runtimeVersion, architecture = here } = this.#backend.capabilities;
    return {
      name: config.nodeName,
      clusterId,
      labels: config.labels,
      taints: taintsOf(config),
      sizing: config.sizing,
      address,
      kubeletPort: config.kubeletPort,
      serverVersion,
      ownVersion,
      runtimeVersion,
      architecture,
      capacity: this.#capacity,
      health: this.#health.state,
      preparation: this.#preparation.state,
      blocked: this.#blockade.blocked,
    };
  }

  #snapshot(): void {
    const phases = new Map(['Pending', 'Running', 'Succeeded', 'Failed'].map((phase) => [phase, 0]));
    for (const { pod } of this.#pods.pods.all()) {
      const phase = pod.status?.phase ?? 'Pending';
      phases.set(phase, (phases.get(phase) ?? 0) + 1);
    }
    this.#metrics.current({ ...this.#pods.counts, phases });
  }
}

function taintsOf({ taints }: PoolConfig): readonly Taint[] {
  return taints.map(({ key, value, effect }) => ({ key, ...(value === undefined ? {} : { value }), effect }));
}

function configuredCapacity({ capacity }: PoolConfig): Record<string, string> {
  return Object.fromEntries(Object.entries(capacity).filter(([, value]) => value !== undefined));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
