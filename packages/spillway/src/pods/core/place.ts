import type { PodState } from './pod-state.ts';

// A backend accepts what it may have no place for. Pure.

/** There is an instance, and nobody has found where it could run. */
export function isUnplaced({ observed }: PodState): boolean {
  if (observed.kind !== 'present') return false;
  return observed.instance.state === 'starting' && observed.instance.unplaced !== undefined;
}

/** What is unplaced for longer is taken back. Undefined: it waits for as long as it takes. */
export function placeDueMs(
  state: PodState,
  { placeWithinMs }: { readonly placeWithinMs?: number },
): number | undefined {
  if (placeWithinMs === undefined || !isUnplaced(state)) return undefined;
  return (state.waitsFromMs ?? state.firstSeenMs) + placeWithinMs;
}

/** The backend turns out to have a place for what this process asked it to create. */
export function findsPlace(before: PodState, now: PodState): boolean {
  return before.created !== 'no' && !hasPlace(before) && hasPlace(now);
}

function hasPlace({ last }: PodState): boolean {
  return last !== undefined && last.unplaced === undefined;
}
