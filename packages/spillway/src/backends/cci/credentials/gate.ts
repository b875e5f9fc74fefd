import type { ApiAnswer } from '@spillway/kube';

/**
 * Whether calls with a credential may leave. A gateway locks an access key for five minutes after more than five failures
 * in a row (APIGW.0301), and IAM a user. So one refusal pauses all calls; one probe at a time asks whether the credential,
 * read and dated anew, is good; and the same credential is never refused more often in a row than the lock allows.
 *
 *   (untried) paused --probe accepted--> open (next generation)
 *             paused --probe refused---> paused, longer
 *             open   --refused---------> paused
 *             any    --other credential--> paused, untried
 */
export type Gate = Open | Paused;

/** What was said against a credential. */
export interface Refusal {
  readonly why: string;
  /** For its code */
  readonly answer?: ApiAnswer | undefined;
}

export interface Open {
  readonly kind: 'open';
  /** Grows whenever what calls are made with has changed */
  readonly generation: number;
}

export interface Paused {
  readonly kind: 'paused';
  readonly generation: number;
  /** Refusals in a row of this credential */
  readonly failures: number;
  /** When the next probe is due, in milliseconds since the epoch */
  readonly probeAt: number;
  /** The last one; missing: nobody has said anything against it */
  readonly refusal?: Refusal | undefined;
}

/** What a probe found. Unreachable: nothing is known about the credential. */
export type Verdict = 'accepted' | 'refused' | 'unreachable';

/** One less than what is still allowed: answers that were under way may still come. */
const mostFailures = 4;
const betweenProbesMs = 60_000;
const lockMs = 5 * 60_000;
/** Our clock and the gateway's do not agree on when a lock began. */
const lockMarginMs = 30_000;
const unreachableMs = 10_000;

export const opened = (generation: number): Open => ({ kind: 'open', generation });

/** An answer 401 to a call that was made with `generation`. What was said about an earlier one is history. */
export function refused(gate: Gate, generation: number, now: number, refusal?: Refusal): Gate {
  if (generation !== gate.generation) return gate;
  if (gate.kind === 'open') return { kind: 'paused', generation, failures: 1, probeAt: now, refusal };
  return failedAgain(gate, gate.probeAt, now);
}

export function probed(
  before: Paused,
  verdict: Verdict,
  now: number,
  refusal: Refusal | undefined = before.refusal,
): Gate {
  const gate = { ...before, refusal };
  switch (verdict) {
    case 'accepted':
      return opened(gate.generation + 1);
    case 'refused':
      return failedAgain(gate, now + betweenProbesMs, now);
    default:
      return { ...gate, probeAt: Math.max(gate.probeAt, now + unreachableMs) };
  }
}

/** A credential that nobody has tried: one probe goes before the many calls that a typing mistake would lock it with. */
export const untried = (generation: number, now: number): Paused => ({
  kind: 'paused',
  generation,
  failures: 0,
  probeAt: now,
});

export const isProbeDue = (gate: Gate, now: number): gate is Paused => gate.kind === 'paused' && gate.probeAt <= now;

function failedAgain(gate: Paused, probeAt: number, now: number): Paused {
  const failures = gate.failures + 1;
  const waits = failures >= mostFailures ? Math.max(probeAt, now + lockMs + lockMarginMs) : probeAt;
  return { ...gate, failures, probeAt: waits };
}
