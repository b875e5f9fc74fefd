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
import type { Backend, Instance, InstanceRef, Notice, Refusal } from '../backends/backend.ts';
import type { WorkloadFacts } from '../podspec/resolve.ts';
import { Actor, type ActorHost } from './actor.ts';
import { InstanceObserver, type InstanceSink, type ObservedListing } from './instance-observer.ts';
import type { IntakeNode } from './intake.ts';
import { Operations } from './operations.ts';
import { instanceRef } from './pod-facts.ts';
import { operationWords, podFields } from './pod-log.ts';
import type { Operation, Outcome, PodState } from './pod-state.ts';
import { blocksPool } from './problems.ts';
import { readDefaultTolerations } from './default-tolerations.ts';
import type { Preparation } from './preparation.ts';
import { ReferenceWatches } from './reference-watches.ts';
import { refusalsOf } from './refusals.ts';
import { RunQueue } from './run-queue.ts';
import { withoutBallast } from './ballast.ts';
import { StatusWriter } from './status-writer.ts';
import type { HeldBack, SweepOptions } from './sweep.ts';
import { Sweeper } from './sweeper.ts';
import { systemTiming, type Timing } from './timing.ts';
import { TolerationWriter } from './toleration-writer.ts';
import {
  instanceGone,
  instanceMissing,
  instanceSeen,
  newOrphan,
  newPod,
  podChanged,
  podGone,
  referenceChanged,
  retryNow,
  statusRefused,
} from './transitions.ts';

export interface PodControllerOptions {
  readonly node: IntakeNode;
  /** Client of the node agent. */
  readonly client: KubeClient;
  /** The controller's own identity. */
  readonly controller: Pick<KubeClient, 'resource'>;
  readonly backend: Backend;
  readonly preparation: Preparation;
  readonly hostIPs: readonly string[];
  readonly facts: () => WorkloadFacts;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  readonly blockade: Blockade;
  /** Is the API server that we talk to the cluster whose marks our instances carry? */
  readonly confirmCluster: (signal: AbortSignal) => Promise<boolean>;
  readonly observer: PodObserver;
  readonly logger: Logger;
  /** How long an instance without a pod is left alone. */
  readonly sweepGraceMs: number;
  readonly maxSweepFraction?: SweepOptions['maxSweepFraction'];
  /** Something that people should see on the virtual node. */
  readonly recordOnNode?: (notice: Notice) => void;
  /** How long operations and statuses may take to finish when the process stops. Default: 5,000. */
  readonly stopGraceMs?: number;
  /** Default: the system's clock and timers. */
  readonly timing?: Timing;
  /** For jitter; 0 ≤ x < 1. Default: Math.random */
  readonly random?: () => number;
}

/** Whether the pool takes new pods. */
export interface Blockade {
  /** The backend has no room for more, or does not want us. */
  refused(kind: 'quota' | 'soldOut' | 'blocked', message: string): void;
  /** It took a pod. */
  accepted(): void;
}

/** For metrics. */
export interface PodObserver {
  stepTaken(): void;
  operationStarted(kind: Operation['kind']): void;
  operationEnded(kind: Operation['kind'], result: string, seconds: number): void;
  statusWritten(result: 'written' | 'unchanged' | 'gone' | 'refused' | 'failed'): void;
  listed(result: 'complete' | 'incomplete' | 'failed', seconds: number): void;
  instances(count: number): void;
  orphans(candidates: number, heldBack: number): void;
  orphanRemoved(): void;
}

/** A pod as its own API sees it: for the kubelet API. */
export interface PodWithInstance {
  readonly pod: Pod;
  readonly instance?: Instance;
}

/** All pods of one virtual node: who is told what, and nothing else. The rules are in `decide.ts`. */
export class PodController {
  readonly #options: PodControllerOptions;
  readonly #actors = new Map<string, Actor>();
  /** Instances that are there and that no actor looks after, by UID. */
  readonly #unowned = new Map<string, Instance>();
  readonly #sweeper: Sweeper;
  readonly #informer: Informer<Pod>;
  readonly #services: Informer<Service>;
  readonly #writer: StatusWriter;
  readonly #tolerations: TolerationWriter;
  readonly #observer: InstanceObserver;
  readonly #operations: Operations;
  readonly #watches: ReferenceWatches;
  readonly #queue: RunQueue<Actor>;
  readonly #host: ActorHost;
  readonly #timing: Timing;
  readonly #refusals: (pod: Pod) => readonly Refusal[];
  /** Ends operations that do not finish in time. */
  readonly #abandon = new AbortController();
  #cancelSweep: () => void = () => {};
  #stopping = false;

  constructor(options: PodControllerOptions) {
    this.#options = options;
    const { client, backend, node, preparation, logger, observer, random = Math.random } = options;
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
      indexes: { namespace: namespaceOf },
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
      onChanged: (uid) => this.#actors.get(uid)?.apply(referenceChanged),
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
      onDefect: (error) => logger.error({ err: error }, 'an operation failed in a way that nobody foresaw'),
    });
    this.#sweeper = new Sweeper({
      graceMs: options.sweepGraceMs,
      ...(options.maxSweepFraction === undefined ? {} : { maxSweepFraction: options.maxSweepFraction }),
      confirmCluster: options.confirmCluster,
      exists: (ref, signal) => this.#operations.exists(ref, signal),
      onOrphan: (ref) => this.#orphanFound(ref),
      onSuspicion: (heldBack) => this.#suspicious(heldBack),
      requestListingIn: (ms) => this.#sweepIn(ms),
      now: () => timing.now(),
      logger,
    });
    this.#queue = new RunQueue((error) => logger.error({ err: error }, 'the step of a pod failed; this is a defect'));
    this.#host = this.#actorHost();
    this.#refusals = (pod) => refusalsOf(pod, { node, backend, logger });
    this.#informer.subscribe({
      added: (pod) => this.#podSeen(pod),
      changed: (_, pod) => this.#podSeen(pod),
      deleted: (pod) => this.#actors.get(uidOf(pod))?.apply(podGone),
      // The first pods may have come after the first listing.
      synced: () => this.#observer.request(),
    });
  }

  get actorCount(): number {
    return this.#actors.size;
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

  /** The backend is back: what waits for it is tried now. */
  retryAll(): void {
    for (const actor of this.#actors.values()) actor.apply(retryNow);
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
    for (const actor of this.#actors.values()) actor.stop();
    const deadline = new AbortController();
    deadline.signal.addEventListener('abort', () => this.#abandon.abort(), { once: true });
    const cancel = this.#timing.after(this.#options.stopGraceMs ?? 5000, () => deadline.abort());
    await this.#writer.flush(deadline.signal);
    await Promise.all(Array.from(this.#actors.values(), (actor) => actor.settled()));
    cancel();
    this.#abandon.abort();
    await Promise.all([this.#sweeper.settled(), this.#watches.close()]);
  }

  #actorHost(): ActorHost {
    const { hostIPs, observer, backend } = this.#options;
    return {
      context: { hostIPs, volumeUpdates: backend.capabilities.volumeUpdates },
      now: () => this.#timing.now(),
      after: (ms, run) => this.#timing.after(ms, run),
      schedule: (actor) => {
        if (!this.#stopping) this.#queue.add(actor);
      },
      perform: (operation, state) => this.#perform(operation, state),
      writeStatus: (pod, status) => {
        observer.stepTaken();
        this.#writer.write(pod, status);
      },
      record: (ref, notice) => this.#options.record(ref, notice),
      requestListing: () => this.#observer.request(),
      ending: ({ uid }) => this.#watches.release(uid),
      forget: (actor) => this.#forget(actor),
    };
  }

  async #perform(operation: Operation, state: PodState): Promise<Outcome> {
    const { observer, blockade, preparation, logger } = this.#options;
    const { kind } = operation;
    const startedMs = performance.now();
    observer.operationStarted(kind);
    const outcome = await this.#operations.perform(operation, state, this.#abandon.signal);
    const result = outcome.ok ? 'ok' : outcome.problem.kind;
    observer.operationEnded(kind, result, (performance.now() - startedMs) / 1000);
    if (this.#abandon.signal.aborted) return outcome;
    const fields = { operation: kind, ...podFields(state.ref) };
    if (outcome.ok) {
      logger.debug(fields, 'done');
      if (kind === 'create') blockade.accepted();
      if (kind === 'remove' && state.pod === undefined) observer.orphanRemoved();
    } else {
      const { problem } = outcome;
      logger.warn(
        { ...fields, problem: problem.kind, reason: problem.message },
        `could not ${operationWords[kind]}; will try again`,
      );
      if (kind === 'create' && blocksPool(problem.kind)) blockade.refused(problem.kind, problem.message);
      if (kind === 'create' && problem.kind === 'notFound') preparation.invalidate();
    }
    return outcome;
  }

  #podSeen(pod: Pod): void {
    const uid = uidOf(pod);
    const actor = this.#actors.get(uid);
    const ref = actor?.state.ref ?? instanceRef(pod);
    const nowMs = this.#timing.now();
    if (actor) {
      const known = actor.state;
      const same = known.pod?.metadata?.generation === pod.metadata?.generation;
      const refusals = same ? known.refusals : this.#refusals(pod);
      actor.apply((state) => podChanged(state, { pod, ref, refusals, nowMs }));
      return;
    }
    const arrival = { listed: this.#observer.completeOnce, inherited: !this.#informer.hasSynced() };
    const fresh = new Actor(newPod({ pod, ref, refusals: this.#refusals(pod), nowMs }, arrival), this.#host);
    this.#actors.set(uid, fresh);
    const instance = this.#unowned.get(uid);
    if (instance) {
      this.#unowned.delete(uid);
      fresh.apply((state) => instanceSeen(state, instance));
    }
  }

  #sink(): InstanceSink {
    return {
      instance: (instance) => {
        const actor = this.#actors.get(instance.ref.uid);
        if (actor) actor.apply((state) => instanceSeen(state, instance));
        else this.#unowned.set(instance.ref.uid, instance);
      },
      gone: ({ uid }) => {
        this.#unowned.delete(uid);
        this.#actors.get(uid)?.apply((state) => instanceGone(state, this.#timing.now()));
      },
      notice: (ref, notice) => this.#options.record(ref, notice),
      listed: (listing) => this.#listed(listing),
    };
  }

  #listed(listing: ObservedListing): void {
    if (!listing.complete) return;
    for (const [uid, actor] of this.#actors) {
      if (listing.missing(uid)) actor.apply((state) => instanceMissing(state, listing.startedMs));
    }
    for (const uid of this.#unowned.keys()) if (listing.missing(uid)) this.#unowned.delete(uid);
    this.#options.observer.instances(listing.instances.length);
    if (!this.#informer.hasSynced()) return;
    const census = { startedMs: listing.startedMs, unowned: this.#unowned.values(), total: listing.instances.length };
    this.#sweeper.observe(census, this.#abandon.signal);
    this.#options.observer.orphans(this.#sweeper.candidates, this.#sweeper.heldBack);
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
    const instance = this.#unowned.get(ref.uid);
    if (this.#stopping || !instance || this.#actors.has(ref.uid)) return;
    this.#options.logger.warn(podFields(ref), 'removing an instance whose pod is gone');
    this.#unowned.delete(ref.uid);
    this.#actors.set(ref.uid, new Actor(newOrphan(instance, this.#timing.now()), this.#host));
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
    this.#actors.get(uidOf(pod))?.apply(statusRefused);
  }

  #forget(actor: Actor): void {
    const { uid } = actor.state.ref;
    this.#actors.delete(uid);
    this.#watches.release(uid);
    this.#queue.delete(actor);
    this.#writer.forget(uid);
  }

  #withInstance(pod: Pod): PodWithInstance {
    const state = this.#actors.get(uidOf(pod))?.state;
    return state?.observed.kind === 'present' ? { pod, instance: state.observed.instance } : { pod };
  }
}
