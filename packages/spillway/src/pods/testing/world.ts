import { isDeepStrictEqual } from 'node:util';
import type { Pod, PodStatus } from '@spillway/kube';
import type { Instance } from '../../backends/backend.ts';
import { decide } from '../core/decide.ts';
import { instanceRef, isDeleting, isTerminalPhase, statusShowsItRan } from '../../podspec/pod-facts.ts';
import type { Operation, Outcome, Phase, PodState, Problem } from '../core/pod-state.ts';
import { statusPatch } from '../status/status-patch.ts';
import { operationEnded, operationStarted } from '../core/outcomes.ts';
import {
  elapsed,
  instanceGone,
  instanceMissing,
  instanceSeen,
  newOrphan,
  newPod,
  outboxTaken,
  podChanged,
  podConfirmedGone,
  podGone,
  podUnlisted,
} from '../core/transitions.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import { deleted, exited, running, startOfTime, testInstance, testPod, waiting, withStatus } from './objects.ts';

const keepEndedMs = 60_000;

/** How the backend answers an operation. */
export type Answer = 'ok' | 'lost' | 'unavailable' | 'soldOut';

/**
 * A cluster, a backend and the memory of one process, for one pod UID. All news travel late, answers get lost, the
 * process dies. Every act of the core is checked when it happens; a violation throws.
 */
export class World {
  now: number = startOfTime;
  /** The API server's view. */
  pod: Pod | undefined;
  /** The backend's view. */
  instance: Instance | undefined;
  /** The process's view; undefined: it does not run, or has nothing to look after. */
  state: PodState | undefined;
  processRuns = true;
  listedOnce = false;
  /** What the watch of pods has not delivered yet; `undefined` is a deletion, `unlisted` what a new list shows of one. */
  readonly podNews: (Pod | 'unlisted' | undefined)[] = [];
  readonly instanceNews: (Instance | undefined)[] = [];
  /** Listings under way: what they saw when they began. */
  listing: { readonly startedMs: number; readonly seen: Instance | undefined; changed: boolean } | undefined;
  orphanSightings = 0;
  /** The backend's listings lag behind its own answers. */
  listedFromMs = 0;
  /** Instances that were ever started. */
  starts = 0;
  /** The cluster's status showed that a container ran, or this process saw it. */
  knownToHaveRun = false;
  exitCode: number | undefined;
  /** When the cluster was told that the pod has ended. */
  endedMs: number = Number.POSITIVE_INFINITY;
  /** Revisions that the instance was given. */
  readonly given: Set<string> = new Set();
  /** The generation of each revision of the pod. */
  readonly generations: Map<string, number> = new Map();
  /** Of the operation under way. */
  sent = '';
  /** Has no place for what it accepts, until it finds one. */
  full = false;
  /** Does not end on SIGTERM. */
  stubborn = false;
  /** Somebody's finalizer keeps the deleted object until the pod has ended. */
  finalizer = false;
  crashed = false;
  phase: Phase = 'syncing';
  readonly calls: Record<Operation['kind'], number> = { ...noCalls };
  /** The last status that the cluster had, also after the pod is gone. */
  lastStatus: Pod['status'];
  vanished = false;
  endedByOthers = false;
  forced = false;
  readonly restartPolicy: string;

  constructor(restartPolicy: string) {
    this.restartPolicy = restartPolicy;
    this.pod = testPod({ spec: { restartPolicy }, metadata: { resourceVersion: '1' } });
    this.generations.set(revisionOf(this.pod), 1);
    this.podNews.push(this.pod);
  }

  // --- what users and time do

  /** Its image: a new generation. */
  edit(image: string): void {
    if (this.pod?.spec === undefined || isDeleting(this.pod)) return;
    const generation = (this.pod.metadata?.generation ?? 0) + 1;
    const pod = {
      ...this.pod,
      metadata: { ...this.pod.metadata, generation },
      spec: { ...this.pod.spec, containers: [{ name: 'app', image }] },
    };
    this.generations.set(revisionOf(pod), generation);
    this.changePod(pod);
  }

  /** No new generation. */
  relabel(value: string): void {
    if (this.pod === undefined) return;
    const pod = { ...this.pod, metadata: { ...this.pod.metadata, labels: { edited: value } } };
    this.generations.set(revisionOf(pod), pod.metadata.generation ?? 0);
    this.changePod(pod);
  }

  deletePod(graceSeconds: number): void {
    if (this.pod === undefined) return;
    const known = this.pod.metadata?.deletionGracePeriodSeconds;
    if (known !== undefined && known <= graceSeconds) return;
    this.changePod(deleted(this.pod, this.now, graceSeconds));
  }

  forceDelete(): void {
    if (this.pod === undefined) return;
    this.forced = true;
    this.changePod(undefined);
  }

  /** PodGC, an eviction, …: somebody else ends the pod. */
  failByOthers(): void {
    if (this.pod === undefined || isTerminalPhase(this.pod.status?.phase)) return;
    this.endedByOthers = true;
    this.changePod({ ...this.pod, status: { ...this.pod.status, phase: 'Failed', reason: 'Evicted' } });
  }

  /** A list of an API server that lags behind lacks the pod; the next one has it again. */
  falseTombstone(): void {
    if (this.pod && this.processRuns) this.podNews.push(undefined, this.pod);
  }

  /** The same, of a list and not of a watch. */
  falseAbsence(): void {
    if (this.pod && this.processRuns) this.podNews.push('unlisted', this.pod);
  }

  /** The watch loses its place: what it had to tell is lost, and a new list shows what there is. */
  watchGap(): void {
    if (!this.processRuns) return;
    this.podNews.length = 0;
    this.podNews.push(this.pod ?? 'unlisted');
  }

  advance(ms: number): void {
    this.now += ms;
  }

  // --- what the backend does by itself

  start(): void {
    if (this.instance?.state !== 'starting') return;
    const { unplaced: _, ...instance } = this.instance;
    if (this.instance.unplaced !== undefined) {
      this.changeInstance(instance);
      return;
    }
    this.changeInstance({
      ...instance,
      state: 'running',
      podIPs: ['10.1.0.5'],
      containerStatuses: [running('app')],
    });
  }

  end(exitCode: number): void {
    const { instance } = this;
    if (instance === undefined || instance.state === 'ended') return;
    if (instance.state === 'starting') {
      this.changeInstance({ ...instance, state: 'ended' });
      return;
    }
    // A container that restarts for ever is not over unless it is told to stop.
    if (instance.state === 'running' && this.restartPolicy !== 'Never') return;
    this.exitCode = exitCode;
    this.changeInstance({ ...instance, state: 'ended', containerStatuses: [exited('app', exitCode)] });
  }

  /** Somebody removes the instance behind our back. */
  vanish(): void {
    if (this.instance === undefined) return;
    this.vanished = true;
    this.changeInstance(undefined);
  }

  // --- news

  deliverPod(): void {
    if (!this.processRuns || this.podNews.length === 0) return;
    const pod = this.podNews.shift();
    if (pod === undefined || pod === 'unlisted') {
      const gone = pod === undefined ? podGone : podUnlisted;
      if (this.state) this.state = gone(this.state);
    } else {
      const bound = { pod, ref: instanceRef(pod), refusals: [], nowMs: this.now };
      this.state = this.state
        ? podChanged(this.state, bound)
        : newPod(bound, { listed: this.listedOnce, inherited: this.crashed });
    }
  }

  deliverInstance(): void {
    if (!this.processRuns || this.instanceNews.length === 0) return;
    const instance = this.instanceNews.shift();
    if (this.listing) this.listing.changed = true;
    if (!this.state) return;
    if (instance?.state === 'running') this.knownToHaveRun = true;
    this.state = instance ? instanceSeen(this.state, instance) : instanceGone(this.state, this.now);
  }

  beginListing(): void {
    if (this.processRuns && !this.listing) {
      const seen = this.now >= this.listedFromMs ? this.instance : undefined;
      this.listing = { startedMs: this.now, seen, changed: false };
    }
  }

  endListing(complete: boolean): void {
    const { listing } = this;
    this.listing = undefined;
    if (!listing || !this.processRuns) return;
    if (complete) this.listedOnce = true;
    if (listing.changed) return;
    if (this.state) {
      if (listing.seen?.state === 'running') this.knownToHaveRun = true;
      if (listing.seen) this.state = instanceSeen(this.state, listing.seen, listing.startedMs);
      else if (complete) this.state = instanceMissing(this.state, listing.startedMs);
      if (!complete) return;
      this.orphanSightings = this.state.gone === 'unlisted' ? this.orphanSightings + 1 : 0;
      if (this.orphanSightings >= 2 && this.pod === undefined) this.state = podConfirmedGone(this.state);
      return;
    }
    // Without a crash the core has to remember by itself.
    if (!this.crashed) return;
    this.orphanSightings = complete && listing.seen && !this.podNews.some(Boolean) ? this.orphanSightings + 1 : 0;
    if (this.orphanSightings >= 2 && listing.seen && this.pod === undefined) {
      this.state = newOrphan(listing.seen, this.now);
    }
  }

  // --- the process

  crash(): void {
    this.processRuns = false;
    this.crashed = true;
    this.state = undefined;
    this.phase = 'syncing';
    this.knownToHaveRun = this.pod !== undefined && statusShowsItRan(this.pod);
    this.listing = undefined;
    this.listedOnce = false;
    this.orphanSightings = 0;
    this.podNews.length = 0;
    this.instanceNews.length = 0;
  }

  restart(): void {
    if (this.processRuns) return;
    this.processRuns = true;
    if (this.pod) this.podNews.push(this.pod);
  }

  /** Decide, write the status if the API server is there, begin the operation. */
  step(apiServerAnswers: boolean): void {
    if (!this.state) return;
    this.state = outboxTaken(elapsed(this.state, this.now));
    const decision = decide(this.state, this.now, { hostIPs: ['10.0.0.1'], placeWithinMs: 20_000, keepEndedMs });
    if (order[this.state.phase] < order[this.phase]) throw new Error(`phase ${this.phase} became ${this.state.phase}`);
    this.phase = this.state.phase;
    if (decision.status && apiServerAnswers) this.writeStatus(decision.status);
    if (decision.forget) {
      this.state = undefined;
      this.phase = 'syncing';
      return;
    }
    if (decision.operation?.kind === 'create') {
      if (isTerminalPhase(this.state.pod?.status?.phase)) throw new Error('a pod that had ended is started again');
      if (this.knownToHaveRun) throw new Error('a pod that was seen running is started again');
    }
    if (decision.operation) {
      this.sent = this.state.revision;
      this.state = operationStarted(this.state, decision.operation);
    }
  }

  /** The operation under way ends. */
  answer(answer: Answer): void {
    const operation = this.state?.inFlight;
    if (!this.state || !operation) return;
    this.calls[operation.kind] += 1;
    const outcome = this.perform(operation, answer);
    this.state = operationEnded(this.state, outcome, this.now);
  }

  private perform(operation: Operation, answer: Answer): Outcome {
    if (answer === 'soldOut' && operation.kind === 'create') return failure('soldOut');
    if (answer === 'unavailable' || answer === 'soldOut') return failure('unavailable');
    if (operation.kind === 'confirmGone' && this.pod) return failure('stillThere');
    const { instance } = this;
    this.act(operation);
    if (answer === 'lost') return failure('unavailable');
    if (operation.kind === 'withdraw' && (instance === undefined || instance.unplaced !== undefined))
      return failure('soldOut');
    const content = { revision: this.sent, refused: [], digests: new Map(), readMs: this.now, renewAtMs: Infinity };
    return { ok: true, content };
  }

  private act(operation: Operation): void {
    switch (operation.kind) {
      case 'create':
        this.create();
        return;
      case 'stop':
        this.mustBeEnding('stop');
        if (this.instance && this.instance.state !== 'ended') {
          this.changeInstance({ ...this.instance, state: 'stopping' });
          if (operation.graceSeconds === 0) this.end(137);
        }
        return;
      case 'remove':
        this.mustBeEnding('remove');
        if (this.pod && !isTerminalPhase(this.pod.status?.phase))
          throw new Error('removed before its end was recorded');
        if (
          this.instance &&
          this.pod &&
          !isDeleting(this.pod) &&
          !this.crashed &&
          this.now < this.endedMs + keepEndedMs
        )
          throw new Error('removed before anybody could read its log');
        if (this.instance) this.changeInstance(undefined);
        return;
      case 'deletePod':
        if (!this.pod) return;
        if (!isDeleting(this.pod)) throw new Error('the pod of somebody who did not delete it was deleted');
        if (this.instance) throw new Error('the API object was deleted while the instance exists');
        if (!isTerminalPhase(this.pod.status?.phase))
          throw new Error('the API object was deleted without a terminal status');
        this.changePod(
          this.finalizer
            ? { ...this.pod, metadata: { ...this.pod.metadata, deletionGracePeriodSeconds: 0 } }
            : undefined,
        );
        return;
      case 'update':
        this.given.add(this.sent);
        if (this.instance) this.changeInstance({ ...this.instance, revision: this.sent });
        return;
      case 'withdraw':
        if (this.instance?.unplaced !== undefined) this.changeInstance(undefined);
        return;
      case 'confirmGone':
    }
  }

  private create(): void {
    // The process may not have heard yet that the pod is gone.
    const pod = this.pod ?? this.state?.pod;
    if (!pod) throw new Error('created without a pod');
    if (this.instance) return;
    this.starts += 1;
    this.listedFromMs = this.now + 1500;
    this.given.add(this.sent);
    const fresh = {
      ...(this.full && { unplaced: '' }),
      state: 'starting',
      revision: this.sent,
      podIPs: [],
      containerStatuses: [waiting('app')],
    } as const;
    this.changeInstance(testInstance(pod, fresh));
  }

  private mustBeEnding(what: string): void {
    const { pod } = this;
    if (pod === undefined || isDeleting(pod) || isTerminalPhase(pod.status?.phase) || this.state?.verdict) return;
    throw new Error(`${what} of an instance whose pod should run`);
  }

  private writeStatus(status: NonNullable<Pod['status']>): void {
    if (!this.pod || !statusPatch(this.pod, status)) return;
    if (status.reason === 'InstanceLost' && !this.vanished) throw new Error('InstanceLost, but nobody took it away');
    this.mustHaveBeenGiven(status);
    const before = this.pod.status ?? {};
    this.changePod(withStatus(this.pod, status));
    if (isTerminalPhase(before.phase) && status.phase !== before.phase)
      throw new Error(`${before.phase} became ${status.phase}`);
    if (hasEnded(before) && !isDeepStrictEqual(before.containerStatuses, status.containerStatuses))
      throw new Error('what was said of an end has become something else');
  }

  /** What is observed of a pod that runs was carried out. */
  private mustHaveBeenGiven({ phase, observedGeneration = 0 }: NonNullable<Pod['status']>): void {
    if (phase !== 'Running' || observedGeneration === this.pod?.status?.observedGeneration) return;
    const isGiven = [...this.given].some((revision) => (this.generations.get(revision) ?? 0) >= observedGeneration);
    if (!isGiven) throw new Error(`generation ${observedGeneration} was observed, and not carried out`);
  }

  private changePod(pod: Pod | undefined): void {
    this.pod = pod;
    if (pod) this.lastStatus = pod.status;
    if (pod && statusShowsItRan(pod)) this.knownToHaveRun = true;
    if (isTerminalPhase(pod?.status?.phase)) this.endedMs = Math.min(this.endedMs, this.now);
    if (this.processRuns) this.podNews.push(pod);
  }

  private changeInstance(instance: Instance | undefined): void {
    this.instance = instance;
    if (this.processRuns) this.instanceNews.push(instance);
  }

  /** What the process does when nothing is in its way. */
  turn(): void {
    while (this.podNews.length > 0) this.deliverPod();
    while (this.instanceNews.length > 0) this.deliverInstance();
    this.step(true);
    this.answer('ok');
  }

  list(): void {
    this.beginListing();
    this.endListing(true);
  }

  /** From now on everything works and is told. */
  settleDown(): void {
    this.restart();
    this.full = false;
    Object.assign(this.calls, noCalls);
    for (let round = 0; round < 80; round += 1) {
      this.turn();
      if (this.instance?.state === 'stopping' && !this.stubborn) this.end(143);
      if (this.instance?.state === 'starting') this.start();
      if (
        this.finalizer &&
        isTerminalPhase(this.pod?.status?.phase) &&
        this.pod?.metadata?.deletionGracePeriodSeconds === 0
      ) {
        this.changePod(undefined);
      }
      this.list();
      this.advance(10_000 * (round % 4 === 3 ? 40 : 1));
    }
    for (const [kind, count] of Object.entries(this.calls)) {
      if (count > 3) throw new Error(`${count} times ${kind} although every answer was yes`);
    }
  }
}

const failure = (kind: Problem['kind']): Outcome => ({ ok: false, problem: { kind, message: 'test' } });

/** The cluster says so, and how. */
function hasEnded({ phase, containerStatuses = [] }: PodStatus): boolean {
  return isTerminalPhase(phase) && containerStatuses.some(({ state }) => state?.terminated);
}

const noCalls = { create: 0, update: 0, withdraw: 0, stop: 0, remove: 0, confirmGone: 0, deletePod: 0 };

const order: Readonly<Record<Phase, number>> = { syncing: 0, terminating: 1, terminated: 2 };
