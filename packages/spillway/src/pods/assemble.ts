import {
  Informer,
  type KubeClient,
  type Logger,
  type Pod,
  pods,
  type Sharing,
  systemClock,
  type Timing,
} from '@spillway/kube';
import type { Backend, InstanceRef, Notice } from '../backends/backend.ts';
import { instanceRef } from '../podspec/pod-facts.ts';
import type { WorkloadFacts } from '../podspec/workload-sources.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import { Actor, type ActorParts } from './actor.ts';
import { newOrphan, podConfirmedGone, referenceChanged, statusRefused } from './core/transitions.ts';
import { type Alarm, Belief, suspiciousSweep } from './instances/belief.ts';
import { GonePods } from './instances/gone-pods.ts';
import { type InstanceLedger, type InstanceMetrics, InstanceNews } from './instances/instance-news.ts';
import { InstanceObserver } from './instances/instance-observer.ts';
import { ListingRequests } from './instances/listing-requests.ts';
import { Sweeper, type SweepOptions } from './instances/sweeper.ts';
import { Arrivals } from './intake/arrivals.ts';
import { asksFor, type IntakeNode } from './intake/intake.ts';
import { reviewPod } from './intake/pod-review.ts';
import { podFields } from './log.ts';
import { Operations } from './operations.ts';
import { readDefaultTolerations } from './outage/default-tolerations.ts';
import { TolerationWriter } from './outage/toleration-writer.ts';
import { type Blockade, type OperationMetrics, Performer, type Preparation } from './performer.ts';
import { PodController } from './pod-controller.ts';
import { ClusterServices } from './references/cluster-services.ts';
import { ReferenceWatches } from './references/reference-watches.ts';
import { Registry } from './registry.ts';
import { RunQueue } from './run-queue.ts';
import { StatusWriter } from './status/status-writer.ts';
import type { PodLink } from './pod-link.ts';
import type { Timeline } from './timeline.ts';

/** For metrics. */
export interface PodMetrics extends OperationMetrics, InstanceMetrics {
  stepTaken(): void;
  /** A pod that came while we watched is Ready for the first time. */
  podReady(timeline: Timeline): void;
  statusWritten(result: 'written' | 'unchanged' | 'gone' | 'refused' | 'failed'): void;
  listed(result: 'complete' | 'incomplete' | 'failed', seconds: number): void;
}

/** What surrounds the pods of one virtual node. */
export interface PodSurroundings {
  /** How it can be named, in which sizes pods can be had there, and what they are given. */
  readonly node: IntakeNode & {
    readonly sizing: RuleSetName;
    readonly daemonSets: 'placeholder' | 'reject';
    readonly facts: () => WorkloadFacts;
  };
  /** Default: pods reach Services as their backend lets them. */
  readonly link?: PodLink | undefined;
  readonly cluster: {
    /** Client of the node agent. */
    readonly agent: Pick<KubeClient, 'resource'>;
    /** The controller's own identity. */
    readonly controller: Pick<KubeClient, 'resource'>;
    /** Is the API server that we talk to the cluster whose marks our instances carry? */
    readonly confirm: (signal: AbortSignal) => Promise<boolean>;
    /** With others in this process who know the same pods. */
    readonly podSharing?: Sharing<Pod> | undefined;
  };
  readonly backend: Backend;
  readonly preparation: Preparation;
  readonly blockade: Blockade;
  readonly sweep: SweepOptions;
  /** How long instances of pods that have ended are kept. */
  readonly keepEndedMs: number;
  readonly told: {
    readonly record: (ref: InstanceRef, notice: Notice) => void;
    /** Something that people should see on the virtual node. */
    readonly recordOnNode: (notice: Notice) => void;
    readonly ledger: InstanceLedger | undefined;
    readonly metrics: PodMetrics;
    readonly logger: Logger;
  };
  /** Default: the system's clock and timers. */
  readonly timing?: Timing;
  /** For jitter; 0 ≤ x < 1. Default: Math.random */
  readonly random?: () => number;
  /** See {@link PodController.run}. Default: 5,000. */
  readonly stopGraceMs?: () => number;
}

/** The parts of a pod controller, in the order in which a pod meets them. */
export function podController(surroundings: PodSurroundings): PodController {
  const { node, cluster, backend, preparation, blockade, sweep, keepEndedMs, told } = surroundings;
  const { timing = systemClock, random = Math.random, stopGraceMs = () => 5000 } = surroundings;
  const { agent: client, controller, confirm } = cluster;
  const { record, recordOnNode, ledger, metrics, logger } = told;
  const alarm: Alarm = (notice, fields) => {
    logger.error(fields, notice.message);
    recordOnNode(notice);
  };
  const abandon = new AbortController();
  const registry = new Registry(timing.now);
  const turns = new RunQueue<Actor>((error) =>
    logger.error({ err: error }, 'a step of a pod failed; this is a bug in Spillway'),
  );

  // The cluster's side: its pods, and what they refer to.
  const informer = new Informer<Pod>({
    client,
    type: pods,
    fieldSelector: `spec.nodeName=${node.name}`,
    transform: withoutBallast,
    sharing: cluster.podSharing,
    relistMs: 600_000,
    confirmCluster: confirm,
    clock: timing,
    random,
    logger,
    onError: (error) => logger.warn({ err: error }, 'cannot watch the pods of the node; trying again'),
  });
  const live = (uid: string): Pod | undefined => informer.store.getByUid(uid);
  const services = new ClusterServices({
    client,
    clock: timing,
    random,
    logger,
    onError: (error) => logger.warn({ err: error }, 'cannot watch services; trying again'),
  });
  const references = new ReferenceWatches({
    client,
    onChanged: (uid) => registry.apply(uid, referenceChanged),
    logger,
    clock: timing,
    random,
  });

  // What is done for a pod, and what the cluster is told of it.
  const gonePods = new GonePods({ client, nodeName: node.name, confirmCluster: confirm });
  const operations = new Operations({
    backend,
    client,
    gonePods,
    references: {
      client,
      services: (namespace) => services.of(namespace),
      serviceAt: (address) => services.at(address),
      renewsTokens: backend.capabilities.volumeUpdates,
      clock: timing,
      random,
    },
    follow: ({ uid }, objects) => references.set(uid, objects),
    facts: node.facts,
    link: surroundings.link,
    obstacle: async () => {
      await services.synced;
      return preparation.obstacle;
    },
    record,
    onStage: (ref, stage) => registry.pass(ref, stage),
    onDefect: (error) => logger.error({ err: error }, 'an operation failed unexpectedly'),
  });
  const statuses = new StatusWriter({
    client,
    live,
    onRefused: (pod, status, error) => {
      const ref = instanceRef(pod);
      const fields = { err: error, ...podFields(ref), phase: status.phase };
      logger.error(fields, 'the API server rejects the status of a pod as invalid; trying again');
      registry.apply(ref.uid, (state) => statusRefused(state, status));
    },
    onError: (pod, error) =>
      logger.warn({ err: error, ...podFields(instanceRef(pod)) }, 'cannot write the status of a pod; trying again'),
    onWritten: (result) => metrics.statusWritten(result),
    clock: timing,
  });
  const tolerations = new TolerationWriter({
    client: controller,
    asked: (pod) => asksFor(node, pod),
    live,
    defaults: (signal) => readDefaultTolerations(client, node.name, signal),
    onError: (error, pod) =>
      logger.warn(
        { err: error, ...(pod && podFields(instanceRef(pod))) },
        'cannot write the tolerations with which pods outlive an outage of Spillway; trying again',
      ),
    clock: timing,
  });
  const listings = new ListingRequests(timing);
  const parts: ActorParts = {
    context: { hostIPs: node.facts().hostIPs, keepEndedMs, ...backend.capabilities },
    timing,
    turns,
    performer: new Performer({
      operations,
      metrics,
      blockade,
      preparation,
      logger,
      abandoned: abandon.signal,
    }),
    statuses,
    record,
    listings,
    references,
    registry,
    blockade,
    metrics,
  };

  // The backend's side: its instances, and those that nobody owns.
  const sweeper = new Sweeper({
    ...sweep,
    gonePods,
    onOrphan: (ref) => {
      const instance = registry.takeUnowned(ref);
      if (instance) registry.add(new Actor(newOrphan(instance, timing.now()), parts));
      else if (registry.get(ref.uid)?.state.gone === 'unlisted') registry.apply(ref.uid, podConfirmedGone);
      else return;
      logger.warn(podFields(ref), 'removing an instance whose pod is gone');
    },
    onSuspicion: (heldBack) => suspiciousSweep(heldBack, alarm),
    requestListingIn: (ms) => listings.requestIn(ms),
    now: timing.now,
    logger,
  });
  const observer = new InstanceObserver({
    backend,
    sink: new InstanceNews({
      ledger,
      registry,
      belief: new Belief({ registry, suspicion: sweep, requests: listings, alarm }),
      sweeper,
      record,
      podsListed: () => informer.hasSynced(),
      metrics,
      logger,
    }),
    requests: listings,
    prepared: (signal) => preparation.ready(signal),
    now: timing.now,
    sleep: timing.sleep,
    random,
    onListed: (result, ms) => metrics.listed(result, ms / 1000),
    onError: (what, error) => logger.warn({ err: error }, `cannot ${what} the instances of the backend; trying again`),
  });
  const arrivals = new Arrivals({
    registry,
    parts,
    review: (pod) => reviewPod(pod, { node, offer: { support: backend.support, sizing: node.sizing }, logger }),
    daemonSets: node.daemonSets,
    instancesListed: () => observer.completeOnce,
    onReady: (timeline) => metrics.podReady(timeline),
  });

  return new PodController({
    informer,
    arrivals,
    registry,
    turns,
    services,
    references,
    listings,
    observer,
    sweeper,
    statuses,
    tolerations,
    abandon,
    timing,
    stopGraceMs,
  });
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what nobody here reads and pods applied with kubectl carry: a second copy of themselves. */
function withoutBallast(pod: Pod): Pod {
  const annotations = pod.metadata?.annotations;
  if (annotations?.[lastApplied] === undefined) return pod;
  const { [lastApplied]: _, ...rest } = annotations;
  return { ...pod, metadata: { ...pod.metadata, annotations: rest } };
}
