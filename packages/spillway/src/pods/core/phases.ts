import { isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import type { Phase, PodState } from './pod-state.ts';

/** Moves the phase on, and never back. */
export function settle(state: PodState): PodState {
  const phase = laterOf(state.phase, phaseOf(state));
  return phase === state.phase ? state : { ...state, phase };
}

function phaseOf(state: PodState): Phase {
  const { pod, observed } = state;
  const ended = observed.kind === 'present' && observed.instance.state === 'ended';
  const shouldEnd =
    // What the watch says may be a list of an API server that lags behind; the live read decides.
    state.gone === 'confirmed' ||
    state.verdict !== undefined ||
    pod === undefined ||
    isDeleting(pod) ||
    isTerminalPhase(pod.status?.phase);
  if (ended) return 'terminated';
  if (!shouldEnd) return 'syncing';
  return observed.kind === 'absent' && state.inFlight === undefined ? 'terminated' : 'terminating';
}

const order: Readonly<Record<Phase, number>> = { syncing: 0, terminating: 1, terminated: 2 };

function laterOf(a: Phase, b: Phase): Phase {
  return order[a] >= order[b] ? a : b;
}
