import {
  EventRecorder,
  type KubeClient,
  type Leadership,
  type Logger,
  type Pod,
  type Sharing,
  systemClock,
} from '@spillway/kube';
import { type Backend, BackendError, type Notice, type Owner } from '../backends/backend.ts';
import { type PoolConfig, poolTaints } from '../config/config.ts';
import { kubeReviews } from '../kubelet/auth/reviews.ts';
import { KubeletServer } from '../kubelet/server.ts';
import { LedgerRecorder } from '../ledger/ledger-recorder.ts';
import { NodeController } from '../node/node-controller.ts';
import type { Metrics } from '../observability/metrics.ts';
import { podController } from '../pods/assemble.ts';
import { PodEvents } from '../pods/pod-events.ts';
import type { PodLink } from '../pods/pod-link.ts';
import { virtualNodeLabels } from '../podspec/contract.ts';
import { UsageSampler } from '../usage/usage-sampler.ts';
import { BackendHealth } from './backend-health.ts';
import { BackendReports } from './backend-reports.ts';
import { Blockade } from './blockade.ts';
import { guardedBackend } from './guarded-backend.ts';
import { Heartbeat } from './heartbeat.ts';
import { KubeletApi } from './kubelet-api.ts';
import { Pool } from './pool.ts';
import { PoolCapacity } from './pool-capacity.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { Preparation } from './preparation.ts';
import { certificateSource } from './serving-certificates.ts';

export interface PoolOptions {
  readonly config: PoolConfig;
  readonly clusterId: string;
  /** Called once a pool, which closes what it gets. */
  readonly makeBackend: (owner: Owner, logger: Logger, beforeSend: () => void) => Backend;
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
  /** With others in this process who know the same pods. */
  readonly podSharing?: Sharing<Pod> | undefined;
  /** Absent: pods reach Services as their backend lets them. */
  readonly link?: PodLink | undefined;
  /** Absent: what is billed is not written down. */
  readonly ledgerDirectory?: string | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** How long operations and statuses may take to finish on a graceful stop. */
const stopGraceMs = 5000;
/** So many are under way at a time; what is beyond them waits. */
const manyStatuses = 32;

/** The parts of one pool: how its backend is, what the cluster sees of it, and its pods. */
export function assemblePool(options: PoolOptions): Pool {
  const { config, controller, clusterId, address, leadership, ledgerDirectory, metrics: allMetrics } = options;
  const { name, nodeName } = config;
  const taints = poolTaints(config);
  const clock = systemClock;
  const logger = options.logger.child({ pool: name });
  const metrics = new PoolMetrics(allMetrics, name);
  const agent = controller.impersonate({ user: `system:node:${nodeName}`, groups: ['system:nodes'] });
  const ownBackend = options.makeBackend({ clusterId, nodeName }, logger, () => leadership?.check());
  const backend = leadership === undefined ? ownBackend : guardedBackend(ownBackend, leadership);
  const recorder = new EventRecorder({
    client: agent,
    component: 'spillway',
    host: nodeName,
    queueLimit: 5000,
    isBusy: () => pods.counts.statusesWaiting > manyStatuses,
    isGone: (of) =>
      of.kind === 'Pod' && pods.pods.byName(of.namespace ?? '', of.name ?? '')?.pod.metadata?.uid !== of.uid,
    onDropped: (why) => metrics.eventDropped(why),
    logger,
  });
  const events = new PodEvents({ recorder, onRecorded: (type) => metrics.eventRecorded(type) });
  /** As the kubelet's events on nodes: the name in place of the UID. */
  const recordOnNode = ({ severity, reason, message }: Notice): void =>
    recorder.record(
      { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName },
      { type: severity, reason, message },
    );

  // How the backend is.
  const reports = new BackendReports({ logger, metrics, recordOnNode });
  const preparation = new Preparation({
    backend,
    sleep: clock.sleep,
    onError: (error, retryInMs) => reports.notPrepared(error, retryInMs),
    onPrepared: () => {
      logger.info({ runtime: backend.capabilities.runtimeVersion }, 'backend prepared');
      node.refresh();
      pods.retryAll();
    },
    onChange: (state, severity, before) => {
      node.refresh();
      reports.preparation(state, severity, before);
    },
  });
  const health = new BackendHealth({
    backend: { ping: (signal) => pingBackend(backend, preparation, signal) },
    intervalMs: config.ping.intervalSeconds * 1000,
    timeoutMs: config.ping.timeoutSeconds * 1000,
    sleep: clock.sleep,
    onChange: (state, before) => {
      reports.health(state, before);
      node.refresh();
      if (state.kind !== 'reachable' || before.kind !== 'unreachable') return;
      // It may have lost what was prepared.
      preparation.invalidate();
      pods.retryAll();
    },
  });
  const heartbeat = new Heartbeat({
    backend,
    afterMs: config.deadMan && config.deadMan.afterSeconds * 1000,
    now: () => performance.now(),
    sleep: clock.sleep,
    onRenewed: () => metrics.heartbeatRenewed(new Date()),
    onError: (error) => {
      metrics.heartbeatFailed();
      reports.heartbeatFailed(error);
    },
    onChange: (state) => {
      reports.heartbeat(state);
      node.refresh();
    },
    onEnded: (ended) => reports.endedInSilence(ended),
  });
  const blockade = new Blockade({
    onChange: () => {
      reports.blockade(blockade.blocked);
      node.refresh();
    },
  });
  const capacity = new PoolCapacity({
    backend,
    configured: config.capacity,
    onRead: () => node.refresh(),
    clock,
    logger,
  });

  const usage = new UsageSampler({
    backend,
    instances: () => pods.pods.instances(),
    intervalMs: config.metrics.intervalSeconds * 1000,
    clock,
    onChange: (state, before) => {
      reports.usage(state, before);
      node.refresh();
    },
    observer: metrics,
  });

  // What the cluster sees of it.
  const node = new NodeController({
    nodeName,
    controller,
    agent,
    confirmCluster: options.confirmCluster,
    facts: () => ({
      name: nodeName,
      clusterId,
      labels: config.labels,
      taints,
      sizing: config.sizing,
      backend: backend.support.name,
      claims: backend.support.claims,
      address,
      kubeletPort: config.kubeletPort,
      serverVersion: options.serverVersion,
      ownVersion: options.ownVersion,
      runtimeVersion: backend.capabilities.runtimeVersion,
      architecture: backend.capabilities.architecture ?? ownArchitecture,
      capacity: capacity.current,
      health: health.state,
      preparation: preparation.state,
      usage: usage.state,
      heartbeat: heartbeat.state,
      blocked: blockade.blocked,
    }),
    logger,
    observer: {
      leaseRenewed: (at) => {
        heartbeat.clusterAnswered();
        metrics.leaseRenewed(at);
      },
      leaseFailed: () => metrics.leaseFailed(),
      nodeWritten: (what, result) => metrics.nodeWritten(what, result),
    },
    sleep: clock.sleep,
  });
  const ledger =
    ledgerDirectory === undefined
      ? undefined
      : new LedgerRecorder({
          directory: ledgerDirectory,
          pool: name,
          node: nodeName,
          sizing: config.sizing,
          now: clock.now,
          sleep: clock.sleep,
          onWritten: (result) => metrics.ledgerWritten(result),
          logger,
        });
  const pods = podController({
    node: {
      name: nodeName,
      taints,
      labels: virtualNodeLabels,
      sizing: config.sizing,
      daemonSets: config.daemonSets,
      facts: () => ({
        hostIPs: [address],
        allocatable: capacity.current,
        dns: { clusterServers: config.dns.clusterDNS, clusterDomain: config.dns.clusterDomain },
      }),
    },
    link: options.link,
    cluster: { agent, controller, confirm: options.confirmCluster, podSharing: options.podSharing },
    backend,
    preparation,
    blockade,
    sweep: {
      graceMs: config.sweep.graceSeconds * 1000,
      maxFraction: config.sweep.maxFraction,
      suspicionMs: config.sweep.suspicionSeconds * 1000,
    },
    keepEndedMs: config.keepEndedSeconds * 1000,
    told: { record: (ref, notice) => events.record(ref, notice), recordOnNode, ledger, metrics, logger },
    stopGraceMs: () => (leadership?.lost.aborted === true ? 0 : stopGraceMs),
  });
  const kubelet = new KubeletApi({
    server: new KubeletServer({
      nodeName,
      pods: pods.pods,
      usage,
      backend,
      reviews: kubeReviews({ client: agent, nodeName }),
      tls: {},
      logger,
      metricsPage: allMetrics,
      metrics,
    }),
    port: config.kubeletPort,
    certificates: certificateSource({
      config: config.servingCertificate,
      nodeName,
      address,
      agent,
      controller,
      logger,
    }),
    controller,
    clock,
    logger,
  });

  return new Pool({
    agent,
    backend,
    health,
    preparation,
    capacity,
    usage,
    heartbeat,
    node,
    kubelet,
    pods,
    recorder,
    ledger,
    metrics,
    allMetrics,
    leadership,
  });
}

const ownArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** A backend that says that something is not there answers: what it lacks is not made yet, or somebody deleted it. */
async function pingBackend(
  backend: Pick<Backend, 'ping'>,
  preparation: Pick<Preparation, 'invalidate'>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await backend.ping(signal);
  } catch (error) {
    if (!(error instanceof BackendError) || error.kind !== 'notFound') throw error;
    preparation.invalidate();
  }
}
