import type { Pod, PodStatus } from '@spillway/kube';
import type { InstanceRef, Notice } from '../backends/backend.ts';
import { type Annotations, sizeAnnotations } from '../podspec/sizing/shown.ts';
import { decide, type DecideContext } from './core/decide.ts';
import type { Operation, Outcome, PodState } from './core/pod-state.ts';
import { placeholderAnnotations } from './intake/placeholder.ts';
import { Timeline } from './timeline.ts';
import { systemTiming, type Timing } from './timing.ts';
import { elapsed, operationEnded, operationStarted, outboxTaken } from './core/transitions.ts';

/** What an actor needs from its surroundings. */
export interface ActorHost {
  readonly context: DecideContext;
  now(): number;
  /** Default: the process's own timers. */
  readonly after?: Timing['after'];
  /** Calls `step` soon; several calls before that are one. */
  schedule(actor: Actor): void;
  /** Never rejects. */
  perform(operation: Operation, state: PodState): Promise<Outcome>;
  writeStatus(pod: Pod, status: PodStatus, annotations: Annotations): void;
  record(ref: InstanceRef, notice: Notice): void;
  requestListing(): void;
  /** The pod ends, or has ended: it needs nothing more from the cluster. May be called often. */
  ending?(ref: InstanceRef): void;
  /** Nothing is left to look after. */
  forget(actor: Actor): void;
}

/**
 * The doing for one pod UID: holds its state, asks {@link decide}, performs one operation at a time. An object, not a
 * thread: what happens changes the state and schedules a step; an actor with nothing to wait for holds no timer.
 */
export class Actor {
  #state: PodState;
  /** What `decide` does not need: for people and metrics. */
  readonly timeline: Timeline = new Timeline();
  readonly #host: ActorHost;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #operation: Promise<void> | undefined;
  #stopped = false;

  constructor(state: PodState, host: ActorHost) {
    this.#state = state;
    this.#host = host;
    host.schedule(this);
  }

  get state(): PodState {
    return this.#state;
  }

  /** Something happened. */
  apply(transition: (state: PodState) => PodState): void {
    const next = transition(this.#state);
    if (next === this.#state) return;
    this.#state = next;
    this.#host.schedule(this);
  }

  step(): void {
    if (this.#stopped) return;
    const host = this.#host;
    const now = host.now();
    this.#state = elapsed(this.#state, now);
    const decision = decide(this.#state, now, host.context);
    if (this.#state.phase !== 'syncing') host.ending?.(this.#state.ref);
    for (const notice of this.#state.outbox) host.record(this.#state.ref, notice);
    this.#state = outboxTaken(this.#state);
    if (decision.status && this.#state.pod) {
      host.writeStatus(this.#state.pod, decision.status, annotationsOf(this.#state));
    }
    if (decision.forget) {
      this.stop();
      host.forget(this);
      return;
    }
    if (decision.needsListing) host.requestListing();
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

  async #perform(operation: Operation): Promise<void> {
    this.#state = operationStarted(this.#state, operation);
    const outcome = await this.#host.perform(operation, this.#state);
    this.#operation = undefined;
    if (!this.#stopped) this.apply((state) => operationEnded(state, outcome, this.#host.now()));
  }

  #wakeAt(atMs: number | undefined, now: number): void {
    if (this.#timer?.atMs === atMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (atMs === undefined || !Number.isFinite(atMs)) return;
    const { after = systemTiming.after } = this.#host;
    const cancel = after(Math.max(0, atMs - now), () => {
      this.#timer = undefined;
      this.#host.schedule(this);
    });
    this.#timer = { atMs, cancel };
  }
}

function annotationsOf({ placeholder, sized }: PodState): Annotations {
  return placeholder ? placeholderAnnotations : sizeAnnotations(sized);
}
