import type { Refusal } from '../backends/backend.ts';
import { formatCpu, formatMemory } from '../podspec/sizing/size.ts';
import type { Operation, Phase, PodState, Problem } from './core/pod-state.ts';
import type { Stage, Timeline } from './timeline.ts';

/** What Spillway knows of one pod and intends with it, as JSON. */
export interface Explanation {
  readonly uid: string;
  readonly phase: Phase;
  /** `unknown`: the backend was not listed yet; `doubtful`: there should be one, but it is not seen (yet, or any more). */
  readonly instance: 'unknown' | 'absent' | 'doubtful' | 'starting' | 'running' | 'stopping' | 'ended';
  /** Why it may not run here. */
  readonly refusals: readonly Refusal[];
  /** What it is billed as; missing: it runs as it was written. Quantities. */
  readonly size?: { readonly cpu: string; readonly memory: string };
  readonly underWay?: Operation['kind'];
  /** What did not succeed so far. */
  readonly failures: readonly ExplainedFailure[];
  /** `at`: RFC 3339; `seconds`: since the stage before. */
  readonly timeline: readonly { readonly stage: Stage; readonly at: string; readonly seconds?: number }[];
}

export interface ExplainedFailure {
  /** An operation's kind, such as `create`. */
  readonly operation: string;
  readonly problem: Problem['kind'];
  readonly message: string;
  readonly remedy?: string;
  readonly attempts: number;
  /** RFC 3339; missing: not before the pod changes. */
  readonly retryAt?: string;
}

export function explain(state: PodState, timeline: Timeline): Explanation {
  const { ref, phase, observed, refusals, sized, inFlight } = state;
  const seconds = new Map(timeline.durations());
  return {
    uid: ref.uid,
    phase,
    instance: observed.kind === 'present' ? observed.instance.state : observed.kind,
    refusals,
    ...(sized && { size: { cpu: formatCpu(sized.pod.milliCpu), memory: formatMemory(sized.pod.memoryBytes) } }),
    ...(inFlight === undefined ? {} : { underWay: inFlight.kind }),
    failures: failuresOf(state),
    timeline: Array.from(timeline.passed(), ([stage, atMs]) => {
      const took = seconds.get(stage);
      return { stage, at: rfc3339(atMs), ...(took === undefined ? {} : { seconds: took }) };
    }),
  };
}

function failuresOf({ failures }: PodState): ExplainedFailure[] {
  return Object.entries(failures).map(([operation, { problem, attempts, retryAtMs }]) => ({
    operation,
    problem: problem.kind,
    message: problem.message,
    ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
    attempts,
    ...(Number.isFinite(retryAtMs) ? { retryAt: rfc3339(retryAtMs) } : {}),
  }));
}

function rfc3339(atMs: number): string {
  return new Date(atMs).toISOString();
}
