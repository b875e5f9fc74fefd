import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { Observed, PodState } from './pod-state.ts';

// What listings that lack an instance prove. Pure.

export type Doubt = Extract<Observed, { kind: 'doubtful' }>;

/** An instance is gone when it is missing from this many complete listings. */
export const absencesNeeded = 2;
/** They count as several only when the next one begins this much later. */
export const absenceSpacingMs = 2000;
/**
 * And this much where the pod would be lost by it, and no watch has told that the instance is gone: a view that is wrong for a
 * moment fails nobody, also where so few are missing that it is not suspicious. To read the one instance in between would
 * add nothing, for the same service answers.
 */
export const lossSpacingMs = 30_000;

/** Not seen any more, or not yet; nothing has said so yet. */
export function doubtful(sinceMs: number, more: Pick<Doubt, 'toldGone'> = {}): Doubt {
  return { kind: 'doubtful', sinceMs, listings: 0, ...more };
}

/** When a listing must begin, at the earliest, to count. */
export function countsFromMs(state: PodState, { sinceMs, listings, toldGone = false }: Doubt): number {
  if (listings === 0) return sinceMs;
  return sinceMs + (wouldBeLost(state) && !toldGone ? lossSpacingMs : absenceSpacingMs);
}

/** The pod ran, and nobody has ended it or told its end: without its instance it has failed. */
export function wouldBeLost({ ran, pod, gone, verdict, last }: PodState): boolean {
  if (!ran || pod === undefined || gone !== 'no' || verdict !== undefined) return false;
  return !isDeleting(pod) && !isTerminalPhase(pod.status?.phase) && last?.state !== 'ended';
}
