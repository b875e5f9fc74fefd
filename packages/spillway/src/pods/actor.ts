import type { Timing } from '@spillway/kube';
import type { InstanceRef, Notice } from '../backends/backend.ts';
import { type Annotations, sizeAnnotations } from '../podspec/sizing/shown.ts';
import { decide, type DecideContext } from './core/decide.ts';
import { findsPlace } from './core/place.ts';
import type { Operation, Outcome, PodState } from './core/pod-state.ts';
import { placeholderAnnotations } from './intake/placeholder.ts';
import type { ListingRequests } from './instances/listing-requests.ts';
import type { ReferenceWatches } from './references/reference-watches.ts';
import type { RunQueue } from './run-queue.ts';
import type { StatusWriter } from './status/status-writer.ts';
import type { Blockade } from './performer.ts';
import { Timeline } from './timeline.ts';
import { operationEnded, operationStarted } from './core/outcomes.ts';
import { elapsed, outboxTaken } from './core/transitions.ts';

/** What the actors of a node do their work with. */
export interface ActorParts {
  readonly context: DecideContext;
  readonly timing: Pick<Timing, 'now' | 'after'>;
  /** Calls `step` soon; several calls before that are one. */
  readonly turns: Pick<RunQueue<Actor>, 'add' | 'delete'>;
  /** `perform` never rejects. */
  readonly performer: { perform(operation: Operation, state: PodState): Promise<Outcome> };
  readonly statuses: Pick<StatusWriter, 'write' | 'forget'>;
  readonly record: (ref: InstanceRef, notice: Notice) => void;
  readonly listings: Pick<ListingRequests, 'request'>;
  readonly references: Pick<ReferenceWatches, 'release'>;
  readonly registry: { delete(uid: string): void };
  readonly blockade: Pick<Blockade, 'accepted'>;
  readonly metrics: { stepTaken(): void };
}

/**
 * The doing for one pod UID: holds its state, asks {@link decide}, performs one operation at a time. An object, not a
 * thread: what happens changes the state and schedules a step; an actor with nothing to wait for holds no timer.
 */
export class Actor {
  #state: PodState;
  /** What `decide` does not need: for people and metrics. */
  readonly timeline: Timeline = new Timeline();
  readonly #parts: ActorParts;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #operation: Promise<void> | undefined;
  #stopped = false;

  constructor(state: PodState, parts: ActorParts) {
    this.#state = state;
    this.#parts = parts;
    parts.turns.add(this);
  }

  get state(): PodState {
    return this.#state;
  }

  /** Something happened. */
  apply(transition: (state: PodState) => PodState): void {
    const next = transition(this.#state);
    if (next === this.#state) return;
    if (findsPlace(this.#state, next)) this.#parts.blockade.accepted();
    this.#state = next;
    this.#parts.turns.add(this);
  }

  step(): void {
    if (this.#stopped) return;
    const { timing, context, references, record, metrics, statuses, listings } = this.#parts;
    const now = timing.now();
    this.#state = elapsed(this.#state, now);
    const decision = decide(this.#state, now, context);
    const { ref, phase, pod } = this.#state;
    // It ends, or has ended: it needs nothing more from the cluster.
    if (phase !== 'syncing') references.release(ref.uid);
    for (const notice of this.#state.outbox) record(ref, notice);
    this.#state = outboxTaken(this.#state);
    if (decision.status && pod) {
      metrics.stepTaken();
      statuses.write(pod, decision.status, annotationsOf(this.#state));
    }
    if (decision.forget) {
      this.#forget();
      return;
    }
    if (decision.needsListing) listings.request();
    if (decision.operation) this.#operation = this.#perform(decision.operation);
    this.#wakeAt(decision.wakeAtMs, now);
  }

  /** No more steps. What is under way ends by the signal that it was given; see {@link settled}. */
  stop(): void {
    this.#stopped = true;
    this.#wakeAt(undefined, 0);
  }

  /** Resolves when no operation is under way. */
  async settled(): Promise<void> {
    await this.#operation;
  }

  /** Nothing is left to look after. */
  #forget(): void {
    const { registry, references, turns, statuses } = this.#parts;
    const { uid } = this.#state.ref;
    this.stop();
    registry.delete(uid);
    references.release(uid);
    turns.delete(this);
    statuses.forget(uid);
  }

  async #perform(operation: Operation): Promise<void> {
    this.#state = operationStarted(this.#state, operation);
    const outcome = await this.#parts.performer.perform(operation, this.#state);
    this.#operation = undefined;
    if (!this.#stopped) this.apply((state) => operationEnded(state, outcome, this.#parts.timing.now()));
  }

  #wakeAt(atMs: number | undefined, now: number): void {
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (atMs === undefined || !Number.isFinite(atMs)) return;
    const cancel = this.#parts.timing.after(Math.max(0, atMs - now), () => {
      this.#timer = undefined;
      this.#parts.turns.add(this);
    });
    this.#timer = { atMs, cancel };
  }
}

function annotationsOf({ placeholder, sized }: PodState): Annotations {
  return placeholder ? placeholderAnnotations : sizeAnnotations(sized);
}
