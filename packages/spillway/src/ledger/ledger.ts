import type { ContainerState, PodSpec } from '@spillway/kube';
import type { Instance } from '../backends/backend.ts';
import type { EndReason, Interval } from './interval.ts';

export interface LedgerOptions {
  readonly pool: string;
  readonly node: string;
  /** In which size an instance with this spec is billed; quantities. */
  readonly sizeOf: (spec: PodSpec) => { readonly cpu: string; readonly memory: string };
}

/**
 * What instances of one pool are billed for, from what is seen of them: from the start of the first container until nothing
 * runs any more. Pure bookkeeping: each method answers what has to be written down.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  /** The last interval of each instance that may still be there, by pod UID. */
  readonly #known = new Map<string, Interval>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** What was written down before, in this order. */
  remember(intervals: Iterable<Interval>): void {
    for (const interval of intervals) {
      if (interval.pool === this.#options.pool) this.#known.set(interval.uid, interval);
    }
  }

  /** What has to be known to go on: in place of all that was written before. */
  get known(): Iterable<Interval> {
    return this.#known.values();
  }

  seen(instance: Instance, nowMs: number): readonly Interval[] {
    const { ref, startTime: accepted } = instance;
    const before = this.#known.get(ref.uid);
    if (before !== undefined && before.accepted !== accepted) {
      const lost = this.gone(ref.uid, nowMs, 'Lost');
      return [...lost, ...this.seen(instance, nowMs)];
    }
    const interval = before ?? this.#begun(instance);
    if (interval === undefined) return [];
    const now =
      instance.state === 'ended' && interval.end === undefined ? endedBy(interval, instance, nowMs) : interval;
    this.#known.set(ref.uid, now);
    return now === before ? [] : [now];
  }

  /** There is no such instance any more. */
  gone(uid: string, nowMs: number, reason: EndReason = 'Gone'): readonly Interval[] {
    const interval = this.#known.get(uid);
    this.#known.delete(uid);
    return interval === undefined || interval.end !== undefined ? [] : [closed(interval, nowMs, reason)];
  }

  /** A complete listing of the backend: what it lacks went while nobody looked. */
  listed(missing: (uid: string) => boolean, nowMs: number): readonly Interval[] {
    return [...this.#known.keys()].filter(missing).flatMap((uid) => this.gone(uid, nowMs, 'Lost'));
  }

  #begun(instance: Instance): Interval | undefined {
    const { ref, spec, startTime: accepted } = instance;
    const startMs = earliest(statesOf(instance).map((state) => (state.running ?? state.terminated)?.startedAt));
    if (spec === undefined || startMs === undefined) return undefined;
    const { pool, node, sizeOf } = this.#options;
    const { uid, namespace, name } = ref;
    return { uid, accepted, namespace, name, pool, node, ...sizeOf(spec), start: wholeSecond(startMs) };
  }
}

function endedBy(interval: Interval, instance: Instance, nowMs: number): Interval {
  const states = statesOf(instance);
  // Who ended it may not have looked at its containers: then nobody says when they ended.
  const known = states.every(({ running }) => running === undefined);
  const finished = states.flatMap(({ terminated }) => Date.parse(terminated?.finishedAt ?? '') || []);
  const failed = instance.containerStatuses.some(({ state }) => state?.terminated?.exitCode !== 0);
  const reason = instance.reason ?? (failed ? 'Failed' : 'Completed');
  return closed(interval, !known || finished.length === 0 ? nowMs : Math.max(...finished), reason);
}

function closed(interval: Interval, endMs: number, reason: EndReason): Interval {
  return { ...interval, end: wholeSecond(Math.max(endMs, Date.parse(interval.start))), reason };
}

/** Also of the attempts before the current ones, as far as they are known. */
function statesOf({
  addedContainerStatuses = [],
  initContainerStatuses,
  containerStatuses,
}: Instance): ContainerState[] {
  return [...addedContainerStatuses, ...initContainerStatuses, ...containerStatuses].flatMap(({ state, lastState }) => [
    ...(state ? [state] : []),
    ...(lastState ? [lastState] : []),
  ]);
}

function earliest(times: readonly (string | undefined)[]): number | undefined {
  // A container that never started has the zero time of Go.
  const known = times.map((time) => Date.parse(time ?? '')).filter((ms) => ms > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

function wholeSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
