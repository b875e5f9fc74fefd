import {
  Informer,
  type KubeClient,
  type Logger,
  namespaceOf,
  type Pod,
  pods,
  type Service,
  services,
  uidOf,
} from '@spillway/kube';
import type { Backend, Instance, InstanceRef, Notice } from '../backends/backend.ts';
import type { WorkloadFacts } from '../podspec/resolve.ts';
import type { RuleSetName } from '../podspec/sizing/rule-sets.ts';
import type { Actor, ActorHost } from './actor.ts';
import { withoutBallast } from './ballast.ts';
import { readDefaultTolerations } from './outage/default-tolerations.ts';
import { explain, type Explanation } from './explain.ts';
import { InstanceObserver, type InstanceSink, type ObservedListing } from './instances/instance-observer.ts';
import type { IntakeNode } from './intake/intake.ts';
import { Operations } from './operations.ts';
import { type Blockade, type OperationObserver, Performer } from './performer.ts';
import { instanceRef } from './pod-facts.ts';
import { MassAbsence } from './instances/mass-absence.ts';
import { isOfDaemonSet, placeholderText } from './intake/placeholder.ts';
import { podFields } from './pod-log.ts';
import { PodRegistry } from './pod-registry.ts';
import { reviewPod } from './intake/pod-review.ts';
import type { Preparation } from './preparation.ts';
import { ReferenceWatches } from './references/reference-watches.ts';
import { RunQueue } from './run-queue.ts';
import { StatusWriter } from './status/status-writer.ts';
import type { HeldBack, SweepOptions } from './instances/sweep.ts';
import { Sweeper } from './instances/sweeper.ts';
import type { Timeline } from './timeline.ts';
import { systemTiming, type Timing } from './timing.ts';
import { TolerationWriter } from './outage/toleration-writer.ts';
import { referenceChanged, retryNow, statusRefused } from './core/transitions.ts';

export interface PodControllerOptions {
  readonly node: IntakeNode;
  /** Client of the node agent. */
  readonly client: KubeClient;
  /** The controller's own identity. */
  readonly controller: Pick<KubeClient, 'resource'>;
  readonly backend: Backend;
  /** In which sizes pods can be had. */
  readonly sizing: RuleSetName;
  readonly preparation: Preparation;
  readonly hostIPs: readonly string[];
  /** What becomes of pods of DaemonSets, see placeholder.ts. Default: placeholder. */
  readonly daemonSets?: 'placeholder' | 'reject';
  readonly facts: () => WorkloadFacts;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  readonly blockade: Blockade;
  /** Is the API server that we talk to the cluster whose marks our instances carry? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  readonly observer: PodObserver;
  readonly logger: Logger;
  readonly sweep: SweepOptions;
  /** Is told of instances as this is, before their pods are. */
  readonly bystander?: Pick<InstanceSink, 'instance' | 'gone' | 'listed'>;
  /** Something that people should see on the virtual node. */
  readonly recordOnNode?: (notice: Notice) => void;
  /** How long operations and statuses may take to finish when the process stops. Default: 5,000. */
  readonly stopGraceMs?: number;
  /** Default: the system's clock and timers. */
  readonly timing?: Timing;
  /** For jitter; 0 ≤ x < 1. Default: Math.random */
  readonly random?: () => number;
}

/** For metrics. */
export interface PodObserver extends OperationObserver {
  stepTaken(): void;
  /** A pod that came while we watched is Ready for the first time. */
  podReady(timeline: Timeline): void;
  statusWritten(result: 'written' | 'unchanged' | 'gone' | 'refused' | 'failed'): void;
  listed(result: 'complete' | 'incomplete' | 'failed', seconds: number): void;
  instances(count: number): void;
  orphans(candidates: number, heldBack: number): void;
}

/** A pod as its own API sees it: for the kubelet API. */
export interface PodWithInstance {
  readonly pod: Pod;
  readonly instance?: Instance;
  /** Why nothing runs for the pod although it is shown as running. */
  readonly placeholder?: string;
}

/** All pods of one virtual node: who is told what, and nothing else. The rules are in `decide.ts`. */
export class PodController {
  readonly #options: PodControllerOptions;
  readonly #registry: PodRegistry;
  readonly #sweeper: Sweeper;
  readonly #massAbsence: MassAbsence;
  #disbelievedUntilMs: number | undefined;
  readonly #informer: Informer<Pod>;
  readonly #services: Informer<Service>;
  readonly #writer: StatusWriter;
  readonly #tolerations: TolerationWriter;
  readonly #observer: InstanceObserver;
  readonly #operations: Operations;
  readonly #watches: ReferenceWatches;
  readonly #queue: RunQueue<Actor>;
  readonly #timing: Timing;
  /** Ends operations that do not finish in time. */
  readonly #abandon = new AbortController();
  #cancelSweep: () => void = () => {};
  #stopping = false;

  constructor(options: PodControllerOptions) {
    this.#options = options;
    const { client, backend, node, sizing, preparation, logger, observer, random = Math.random } = options;
    const { timing = systemTiming } = options;
    this.#timing = timing;
    this.#informer = new Informer({
      client,
      type: pods,
      fieldSelector: `spec.nodeName=${node.name}`,
      transform: withoutBallast,
      clock: timing,
      random,
      logger,
      onError: (error) => logger.warn({ err: error }, 'cannot watch the pods of the node; trying again'),
    });
    this.#services = new Informer({
      client,
      type: services,
      indexes: { namespace: namespaceOf, address: ({ spec }) => spec?.clusterIPs ?? [] },
      clock: timing,
      random,
      logger,
      onError: (error) => logger.warn({ err: error }, 'cannot watch services; trying again'),
    });
    this.#writer = new StatusWriter({
      client,
      live: (uid) => this.#informer.store.getByUid(uid),
      onRefused: (pod, error) => this.#statusRefused(pod, error),
      onError: (pod, error) =>
        logger.warn({ err: error, ...podFields(instanceRef(pod)) }, 'status not written; trying again'),
      onWritten: (result) => observer.statusWritten(result),
      clock: timing,
    });
    this.#tolerations = new TolerationWriter({
      client: options.controller,
      live: (uid) => this.#informer.store.getByUid(uid),
      defaults: (signal) => readDefaultTolerations(client, node.name, signal),
      onError: (error, pod) =>
        logger.warn(
          { err: error, ...(pod && podFields(instanceRef(pod))) },
          'cannot let pods outlive an outage of Spillway; trying again',
        ),
      clock: timing,
    });
    this.#informer.subscribe({
      added: (pod) => this.#tolerations.seen(pod),
      changed: (_, pod) => this.#tolerations.seen(pod),
    });
    this.#observer = new InstanceObserver({
      backend,
      sink: this.#sink(),
      prepared: (signal) => preparation.ready(signal),
      now: () => timing.now(),
      sleep: (ms, signal) => timing.sleep(ms, signal),
      random,
      onListed: (result, ms) => observer.listed(result, ms / 1000),
      onError: (what, error) =>
        logger.warn({ err: error }, `cannot ${what} the instances of the backend; trying again`),
    });
    this.#watches = new ReferenceWatches({
      client,
      onChanged: (uid) => this.#registry.apply(uid, referenceChanged),
      logger,
      clock: timing,
      random,
    });
    this.#operations = new Operations({
      backend,
      client,
      nodeName: node.name,
      references: {
        client,
        services: (namespace) => this.#servicesFor(namespace),
        serviceAt: (address) => this.#services.store.byIndex('address', address)[0],
        renewsTokens: backend.capabilities.volumeUpdates,
        now: () => timing.now(),
        random,
      },
      follow: ({ uid }, objects) => this.#watches.set(uid, objects),
      facts: options.facts,
      prepared: async (signal) => {
        await this.#services.synced;
        await preparation.ready(signal);
      },
      record: options.record,
      onStage: ({ uid }, stage) => this.#registry.get(uid)?.timeline.pass(stage, timing.now()),
      onDefect: (error) => logger.error({ err: error }, 'an operation failed in a way that nobody foresaw'),
    });
    this.#massAbsence = new MassAbsence(options.sweep);
    this.#sweeper = new Sweeper({
      ...options.sweep,
      confirmCluster: options.confirmCluster,
      exists: (ref, signal) => this.#operations.exists(ref, signal),
      onOrphan: (ref) => this.#orphanFound(ref),
      onSuspicion: (heldBack) => this.#suspicious(heldBack),
      requestListingIn: (ms) => this.#sweepIn(ms),
      now: () => timing.now(),
      logger,
    });
    this.#queue = new RunQueue((error) => logger.error({ err: error }, 'the step of a pod failed; this is a defect'));
    const { blockade, daemonSets = 'placeholder' } = options;
    const performer = new Performer({ operations: this.#operations, observer, blockade, preparation, logger });
    this.#registry = new PodRegistry({
      host: this.#actorHost(performer),
      review: (pod) => reviewPod(pod, { node, backend, sizing, logger }),
      isPlaceholder: (pod) => daemonSets === 'placeholder' && isOfDaemonSet(pod),
      podsListed: () => this.#informer.hasSynced(),
      instancesListed: () => this.#observer.completeOnce,
      onReady: (timeline) => observer.podReady(timeline),
    });
    this.#informer.subscribe({
      added: (pod) => this.#registry.podSeen(pod),
      changed: (_, pod) => this.#registry.podSeen(pod),
      deleted: (pod) => this.#registry.podGone(uidOf(pod)),
      // The first pods may have come after the first listing.
      synced: () => this.#observer.request(),
    });
  }

  get actorCount(): number {
    return this.#registry.size;
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  get statusesWaiting(): number {
    return this.#writer.waiting;
  }

  /** ConfigMaps and Secrets that are watched because a pod refers to them. */
  get referencesWatched(): number {
    return this.#watches.size;
  }

  /** Pods and instances are known completely. */
  get synced(): boolean {
    return this.#informer.hasSynced() && this.#observer.completeOnce;
  }

  byName(namespace: string, name: string): PodWithInstance | undefined {
    const pod = this.#informer.store.get(namespace, name);
    return pod && this.#withInstance(pod);
  }

  *all(): Generator<PodWithInstance, void, undefined> {
    for (const pod of this.#informer.store.values()) yield this.#withInstance(pod);
  }

  /** What is known of a pod and intended with it; undefined: there is none of this name. */
  explain(namespace: string, name: string): Explanation | undefined {
    const pod = this.#informer.store.get(namespace, name);
    const actor = pod && this.#registry.get(uidOf(pod));
    return actor && explain(actor.state, actor.timeline);
  }

  /** The backend is back: what waits for it is tried now. */
  retryAll(): void {
    for (const actor of this.#registry.actors()) actor.apply(retryNow);
    this.#observer.request();
  }

  /**
   * Resolves when `signal` is aborted, operations under way have finished or were given up, and statuses are written as
   * far as time allowed. Instances go on running.
   */
  async run(signal: AbortSignal): Promise<void> {
    const writing = new AbortController();
    const writer = this.#writer.run(writing.signal);
    await Promise.all(
      [this.#informer, this.#services, this.#observer, this.#tolerations].map((part) => part.run(signal)),
    );
    await this.#stop();
    writing.abort();
    await writer;
  }

  async #stop(): Promise<void> {
    this.#stopping = true;
    this.#queue.clear();
    this.#cancelSweep();
    for (const actor of this.#registry.actors()) actor.stop();
    const deadline = new AbortController();
    deadline.signal.addEventListener('abort', () => this.#abandon.abort(), { once: true });
    const cancel = this.#timing.after(this.#options.stopGraceMs ?? 5000, () => deadline.abort());
    await this.#writer.flush(deadline.signal);
    await Promise.all(Array.from(this.#registry.actors(), (actor) => actor.settled()));
    cancel();
    this.#abandon.abort();
    await Promise.all([this.#sweeper.settled(), this.#watches.close()]);
  }

  #actorHost(performer: Performer): ActorHost {
    const { hostIPs, observer, backend } = this.#options;
    return {
      context: { hostIPs, ...backend.capabilities },
      now: () => this.#timing.now(),
      after: (ms, run) => this.#timing.after(ms, run),
      schedule: (actor) => {
        if (!this.#stopping) this.#queue.add(actor);
      },
      perform: (operation, state) => performer.perform(operation, state, this.#abandon.signal),
      writeStatus: (pod, status, annotations) => {
        observer.stepTaken();
        this.#writer.write(pod, status, annotations);
      },
      record: (ref, notice) => this.#options.record(ref, notice),
      requestListing: () => this.#observer.request(),
      ending: ({ uid }) => this.#watches.release(uid),
      forget: (actor) => this.#forget(actor),
    };
  }

  #sink(): InstanceSink {
    const { bystander } = this.#options;
    return {
      instance: (instance) => {
        bystander?.instance(instance);
        this.#registry.instanceSeen(instance);
      },
      gone: (ref) => {
        bystander?.gone(ref);
        this.#registry.instanceGone(ref);
      },
      notice: (ref, notice) => {
        if (notice.reason === 'Pulled') this.#registry.get(ref.uid)?.timeline.pass('imagePulled', this.#timing.now());
        this.#options.record(ref, notice);
      },
      listed: (listing) => this.#listed(listing),
    };
  }

  #listed(listing: ObservedListing): void {
    if (!listing.complete || this.#isUnbelievable(listing)) return;
    this.#options.bystander?.listed(listing);
    this.#registry.listed(listing);
    this.#options.observer.instances(listing.instances.length);
    if (!this.#informer.hasSynced()) return;
    const unowned = this.#registry.unowned();
    const census = { startedMs: listing.startedMs, unowned, total: listing.instances.length };
    this.#sweeper.observe(census, this.#abandon.signal);
    this.#options.observer.orphans(this.#sweeper.candidates, this.#sweeper.heldBack);
  }

  /** It lacks so much of what was there that the backend may be wrong. */
  #isUnbelievable(listing: ObservedListing): boolean {
    const { startedMs } = listing;
    const { seen, missing } = this.#registry.absence(listing);
    const heldBack = this.#massAbsence.observe({ startedMs, missing, seen });
    const isNew = heldBack !== undefined && heldBack.untilMs !== this.#disbelievedUntilMs;
    this.#disbelievedUntilMs = heldBack?.untilMs;
    if (heldBack === undefined) return false;
    this.#sweepIn(heldBack.untilMs - this.#timing.now());
    if (!isNew) return true;
    const seconds = Math.ceil((heldBack.untilMs - startedMs) / 1000);
    const message = `The backend does not list ${missing} of ${seen} instances any more, and nobody told of their end. Their pods are reported as lost if that stays so for ${seconds} s.`;
    this.#options.logger.error({ missing, seen, seconds }, message);
    this.#options.recordOnNode?.({ severity: 'Warning', reason: 'SuspiciousListing', message });
    return true;
  }

  #suspicious({ candidates, total, untilMs }: HeldBack): void {
    const minutes = Math.ceil((untilMs - this.#timing.now()) / 60_000);
    const message = `${candidates} of ${total} instances on the backend have no pod in this cluster. They are verified again and removed in ${minutes} minutes; if that is wrong, stop Spillway before.`;
    this.#options.logger.error({ candidates, total, minutes }, message);
    this.#options.recordOnNode?.({ severity: 'Warning', reason: 'SuspiciousSweep', message });
  }

  #sweepIn(ms: number): void {
    this.#cancelSweep();
    this.#cancelSweep = this.#timing.after(ms, () => this.#observer.request());
  }

  #orphanFound(ref: InstanceRef): void {
    if (this.#stopping || !this.#registry.orphanFound(ref)) return;
    this.#options.logger.warn(podFields(ref), 'removing an instance whose pod is gone');
  }

  /** Those that a pod of the namespace gets variables of. */
  #servicesFor(namespace: string): readonly Service[] {
    const { store } = this.#services;
    const own = store.byIndex('namespace', namespace);
    const kubernetes = store.get('default', 'kubernetes');
    return kubernetes === undefined || namespace === 'default' ? own : [...own, kubernetes];
  }

  #statusRefused(pod: Pod, error: Error): void {
    this.#options.logger.error(
      { err: error, ...podFields(instanceRef(pod)) },
      'the API server refuses the status of a pod',
    );
    this.#registry.apply(uidOf(pod), statusRefused);
  }

  #forget(actor: Actor): void {
    const { uid } = actor.state.ref;
    this.#registry.delete(uid);
    this.#watches.release(uid);
    this.#queue.delete(actor);
    this.#writer.forget(uid);
  }

  #withInstance(pod: Pod): PodWithInstance {
    const state = this.#registry.get(uidOf(pod))?.state;
    if (state?.placeholder) return { pod, placeholder: placeholderText };
    return state?.observed.kind === 'present' ? { pod, instance: state.observed.instance } : { pod };
  }
}
