import type { Instance } from '../../backends/backend.ts';
import { doubtful } from './absence.ts';
import { settle } from './phases.ts';
import { isUnplaced } from './place.ts';
import type { Content, Failure, Operation, Outcome, PodState, Problem } from './pod-state.ts';
import { noticesOf, noticesOfChange, retryDelayMs } from './problems.ts';

// What was done, and what came of it → the next state. Pure.

export function operationStarted(state: PodState, operation: Operation): PodState {
  const reads = operation.kind === 'create' || operation.kind === 'update';
  const next = { ...state, inFlight: operation, outdated: state.outdated && !reads };
  switch (operation.kind) {
    case 'create':
      // Also where one was accepted that is gone: only an answer says that this one is whole.
      return { ...next, created: 'asked', withdrawn: false };
    case 'withdraw':
      return { ...next, withdrawn: true };
    default:
      return next;
  }
}

export function operationEnded(state: PodState, outcome: Outcome, nowMs: number): PodState {
  const operation = state.inFlight;
  if (operation === undefined) return state;
  const idle: PodState = { ...state, inFlight: undefined, answeredMs: nowMs };
  return settle(
    outcome.ok ? succeeded(idle, operation, outcome.content, nowMs) : failed(idle, operation, outcome, nowMs),
  );
}

function succeeded(state: PodState, operation: Operation, content: Content | undefined, nowMs: number): PodState {
  const next = { ...state, failures: withoutFailure(state.failures, operation.kind) };
  switch (operation.kind) {
    case 'create':
      // Accepted, but a backend's view may lag behind its own answers. Whether there is a place, only the instance tells.
      return {
        ...next,
        failures: state.failures,
        waitsFromMs: nowMs,
        // An instance that was there already keeps what an earlier create gave it.
        content: operation.again || isOfAnother(next.last, content) ? undefined : content,
        created: 'accepted',
        observed: next.observed.kind === 'absent' ? doubtful(nowMs) : next.observed,
      };
    case 'withdraw':
      return { ...next, waitsFromMs: nowMs, withdrawn: false };
    case 'update':
      return { ...next, content, outbox: [...next.outbox, ...noticesOfChange(state, content?.refused ?? [])] };
    case 'stop':
      return { ...next, stopped: { deadlineMs: operation.deadlineMs } };
    case 'remove':
      return { ...next, removed: true, observed: { kind: 'absent' } };
    case 'confirmGone':
      return next.gone === 'reported' ? { ...next, gone: 'confirmed' } : next;
    default:
      return { ...next, deletedMs: nowMs };
  }
}

function failed(
  state: PodState,
  operation: Operation,
  { problem, content }: { readonly problem: Problem; readonly content?: Content },
  nowMs: number,
): PodState {
  if (operation.kind === 'withdraw' && problem.kind === 'soldOut') return refusedPlace(state, problem, nowMs);
  const attempts = (state.failures[operation.kind]?.attempts ?? 0) + 1;
  // What was missing may be what has changed meanwhile.
  const outrun = state.outdated && problem.kind === 'missingReference';
  const failure: Failure = {
    problem,
    attempts,
    retryAtMs: outrun ? nowMs : nowMs + retryDelayMs(operation.kind, state.ref.uid, problem, attempts),
    generation: state.pod?.metadata?.generation ?? 0,
  };
  const next: PodState = {
    ...state,
    content: content ?? (operation.kind === 'update' ? doubted(state.content) : state.content),
    outdated: state.outdated || operation.kind === 'update',
    failures: { ...state.failures, [operation.kind]: failure },
    outbox: [...state.outbox, ...noticesOf(operation.kind, problem)],
  };
  if (operation.kind !== 'create' || operation.again) return next;
  // The backend was never asked, or refused for good: there is nothing to look for.
  return ['missingReference', 'unprepared', 'invalid', 'api'].includes(problem.kind)
    ? { ...next, created: next.observed.kind === 'present' ? next.created : 'no' }
    : next;
}

/** Whether the change was made nobody knows: also going back to what the instance had before is a change. */
export function doubted(content: Content | undefined): Content | undefined {
  if (content === undefined) return undefined;
  const { pullSecrets: _, ...rest } = content;
  return { ...rest, revision: '', digests: new Map() };
}

/** It was taken back: as if it had been refused when it was asked for. */
function refusedPlace(state: PodState, problem: Problem, nowMs: number): PodState {
  // What has been seen with a place since is there, whatever the backend looked at.
  if (state.ran || (state.observed.kind === 'present' && !isUnplaced(state))) return { ...state, withdrawn: false };
  const before: PodState = {
    ...state,
    failures: withoutFailure(state.failures, 'withdraw'),
    created: 'no',
    content: undefined,
    last: undefined,
    observed: { kind: 'absent' },
  };
  return failed(before, { kind: 'create', again: false }, { problem }, nowMs);
}

/** An earlier process has made it, and its create was the one that counted. */
export function isOfAnother(instance: Instance | undefined, content: Content | undefined): boolean {
  return instance?.revision !== undefined && content !== undefined && instance.revision !== content.revision;
}

export function withoutFailure(failures: PodState['failures'], kind: Operation['kind']): PodState['failures'] {
  if (failures[kind] === undefined) return failures;
  const { [kind]: _, ...rest } = failures;
  return rest;
}
