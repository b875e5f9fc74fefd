import type { Pod, PodStatus } from '@spillway/kube';
import type { Instance, InstanceRef, Notice } from '../../backends/backend.ts';
import { placeholderAnnotation } from '../../podspec/contract.ts';
import {
  activeDeadlineMs,
  hasRun,
  isDeleting,
  isTerminalPhase,
  lastEndMs,
  specGraceSeconds,
  statusShowsItRan,
} from '../../podspec/pod-facts.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import type { PodReview } from '../intake/pod-review.ts';
import { absencesNeeded, countsFromMs, doubtful, wouldBeLost } from './absence.ts';
import { doubted, isOfAnother, withoutFailure } from './outcomes.ts';
import { settle, shouldEnd } from './phases.ts';
import type { Content, Observed, PodState } from './pod-state.ts';
import { placeholderNotice } from '../intake/placeholder.ts';
import { noticesOfRefusals } from './problems.ts';
import { tellsEnd } from '../status/status.ts';
import { isRespecified } from './respecified.ts';

// What happened → the next state. Pure. Each function may be called with news that are old or that come twice.

export interface Bound extends PodReview {
  readonly pod: Pod;
  readonly ref: InstanceRef;
  readonly nowMs: number;
}

export interface Arrival {
  /** Nothing is to run for the pod. */
  readonly placeholder?: boolean;
  /** There was a complete listing, and it had no instance of this pod. */
  readonly listed: boolean;
  /** Nobody saw it come: it may have been there before this process. */
  readonly inherited: boolean;
}

/** A pod is seen for the first time. */
export function newPod(
  { pod, ref, refusals, sized, nowMs }: Bound,
  { listed, inherited, placeholder = false }: Arrival,
): PodState {
  const announced = pod.metadata?.annotations?.[placeholderAnnotation] !== undefined;
  const state: PodState = {
    ...blank(ref, nowMs),
    pod,
    inherited,
    placeholder,
    refusals,
    revision: revisionOf(pod),
    sized,
    sizedNow: sized,
    ran: !placeholder && statusShowsItRan(pod),
    // It was told by a process before this one, perhaps long ago.
    endedMs: isTerminalPhase(pod.status?.phase) ? lastEndMs(pod, nowMs) : undefined,
    outbox: placeholder && !announced ? [placeholderNotice] : noticesOfRefusals(refusals, ref),
    // Its deletion began before we looked: only the rest of its grace is left.
    graceEndsMs: isDeleting(pod) ? deletionTimeMs(pod, nowMs) : undefined,
  };
  return settle({ ...state, observed: placeholder ? { kind: 'absent' } : observedAtFirst(state, listed, nowMs) });
}

function observedAtFirst(state: PodState, listed: boolean, nowMs: number): Observed {
  const { pod, ran, inherited } = state;
  // Nobody but this process could have created it.
  if (!inherited && !ran) return { kind: 'absent' };
  if (!listed) return { kind: 'unknown' };
  return ran || (pod && isDeleting(pod)) ? doubtful(nowMs) : { kind: 'absent' };
}

/** An instance carries our marks, and the cluster has no such pod: the live read has confirmed it. */
export function newOrphan(instance: Instance, nowMs: number): PodState {
  return settle({
    ...blank(instance.ref, nowMs),
    gone: 'confirmed',
    observed: { kind: 'present', instance },
    last: instance,
    ran: true,
  });
}

function blank(ref: InstanceRef, nowMs: number): PodState {
  return {
    ref,
    phase: 'syncing',
    pod: undefined,
    gone: 'no',
    inherited: false,
    firstSeenMs: nowMs,
    placeholder: false,
    refusals: [],
    revision: '',
    observed: { kind: 'unknown' },
    last: undefined,
    ran: false,
    created: 'no',
    waitsFromMs: undefined,
    withdrawn: false,
    graceEndsMs: undefined,
    stopped: undefined,
    removed: false,
    endedMs: undefined,
    deletedMs: undefined,
    refusedStatus: undefined,
    verdict: undefined,
    content: undefined,
    outdated: false,
    failures: {},
    inFlight: undefined,
    answeredMs: undefined,
    outbox: [],
  };
}

/** The cluster has a newer version of the pod. */
export function podChanged(state: PodState, { pod, refusals, sized, nowMs }: Bound): PodState {
  if (pod.metadata?.uid !== state.ref.uid) return state;
  const respecified = isRespecified(state.pod, pod);
  const revision = revisionOf(pod);
  const failures = revision === state.revision ? state.failures : withoutFailure(state.failures, 'update');
  const fresh = respecified && refusals.length > 0 ? noticesOfRefusals(refusals, state.ref) : [];
  const next: PodState = {
    ...state,
    pod,
    // A restored or merely late view of the cluster shows it again.
    gone: 'no',
    refusals,
    revision,
    sized: mayExist(state) ? state.sized : sized,
    sizedNow: sized,
    ran: !state.placeholder && (state.ran || statusShowsItRan(pod)),
    endedMs: isTerminalPhase(pod.status?.phase) ? (state.endedMs ?? nowMs) : undefined,
    graceEndsMs: isDeleting(pod) ? graceEnd(state, pod, nowMs) : state.graceEndsMs,
    failures: respecified ? withoutFailure(failures, 'create') : failures,
    outbox: [...state.outbox, ...fresh],
  };
  // An end is never taken back: the pod's controller makes a new one.
  if (shouldEnd(state) && !shouldEnd(next) && next.last?.state !== 'ended' && !next.placeholder) {
    return settle(judgedLost(next, 'This pod was already ending when its cluster was restored to an earlier state'));
  }
  if (next.observed.kind !== 'absent') return settle(next);
  // A create whose answer is not known, or an earlier process's, may still come true, and its end should be seen.
  const isNews = isDeleting(pod) && !(state.pod && isDeleting(state.pod));
  const uncertain = isNews && !next.removed && (next.inherited || next.created !== 'no');
  // It runs, as its status says, and not by our doing: another process has started it, which should not be at work any more.
  const startedByAnother = next.ran && !state.ran && !next.removed;
  return settle(uncertain || startedByAnother ? { ...next, observed: doubtful(nowMs) } : lost(next));
}

/** The watch told that the pod was deleted: by us, or by force. */
export function podGone(state: PodState): PodState {
  return state.gone === 'no' || state.gone === 'unlisted' ? settle({ ...state, gone: 'reported' }) : state;
}

/** A complete list of the cluster's pods lacks it: deleted during a gap of the watch, or the list is wrong. */
export function podUnlisted(state: PodState): PodState {
  return state.gone === 'no' ? { ...state, gone: 'unlisted' } : state;
}

/** The sweep has verified that there is no such pod. */
export function podConfirmedGone(state: PodState): PodState {
  return state.gone === 'unlisted' ? settle({ ...state, gone: 'confirmed' }) : state;
}

/** The API server calls this status invalid. */
export function statusRefused(state: PodState, status: PodStatus): PodState {
  const { refusedStatus: known } = state;
  const isSameEnd = known !== undefined && tellsEnd(known.status, status);
  return { ...state, refusedStatus: { status, times: isSameEnd ? known.times + 1 : 1 } };
}

/** @param listedMs When the listing that tells it began; absent: the watch tells it, which may come late. */
export function instanceSeen(state: PodState, instance: Instance, listedMs?: number): PodState {
  // What was seen before it was removed may be told late. Where the pod stays it is looked after all the same: a late request may
  // have made another one.
  if (state.removed && !stays(state)) return state;
  // Nor does it stop any more: that is from before.
  if (state.last?.state === 'ended' && instance.state === 'stopping') return state;
  const ran = instance.initContainerStatuses.some(hasRun) || instance.containerStatuses.some(hasRun);
  // That is how it is taken back, and no end of the pod's. Where the pod ends, too, it is what was waited for.
  if (state.withdrawn && state.phase === 'syncing' && instance.state === 'ended' && !ran) return state;
  return settle({
    ...state,
    removed: false,
    // What has found a place is not taken back.
    withdrawn: state.withdrawn && (instance.state === 'stopping' || instance.unplaced !== undefined),
    observed: { kind: 'present', instance },
    last: instance,
    content: contentOf(state, instance, listedMs),
    // What has only begun may be half of an instance, left by a create that was cut off: only an answer says that it is whole.
    created: state.created === 'accepted' || instance.state !== 'starting' ? 'accepted' : 'asked',
    ran: state.ran || ran,
    failures: instance.unplaced === undefined ? withoutFailure(state.failures, 'create') : state.failures,
  });
}

/** What it is made of, unless somebody else has made it or has changed it since. */
function contentOf(
  { last, content, answeredMs = Number.POSITIVE_INFINITY }: PodState,
  instance: Instance,
  listedMs = Number.NEGATIVE_INFINITY,
): Content | undefined {
  if (!isOfAnother(instance, content)) return content;
  if (last === undefined) return undefined;
  // What the watch tells, or a listing that began before it, may be older than the answer, unless it has become another since.
  const isNews = instance.revision !== last.revision || listedMs >= answeredMs;
  return isNews ? doubted(content) : content;
}

/** The backend says that the instance is gone. */
export function instanceGone(state: PodState, nowMs: number): PodState {
  const { observed, stopped } = state;
  if (observed.kind !== 'present' && observed.kind !== 'doubtful') return state;
  // Some backends take away what they were asked to stop; otherwise listings have to agree.
  return settle({ ...state, observed: stopped ? { kind: 'absent' } : doubtful(nowMs, { toldGone: true }) });
}

/** A complete listing, begun at `startedMs`, has no instance of this pod. */
export function instanceMissing(state: PodState, startedMs: number): PodState {
  const { observed } = state;
  switch (observed.kind) {
    case 'absent':
      return state;
    case 'unknown':
      return settle({
        ...state,
        observed:
          mayExist(state) || (state.pod !== undefined && isDeleting(state.pod))
            ? { ...doubtful(startedMs), listings: 1 }
            : { kind: 'absent' },
      });
    case 'present':
      return settle({ ...state, observed: { ...doubtful(startedMs), listings: 1 } });
    default: {
      if (startedMs < countsFromMs(state, observed)) return state;
      const listings = observed.listings + 1;
      if (listings >= absencesNeeded) return settle(lost({ ...state, observed: { kind: 'absent' } }));
      return { ...state, observed: { ...observed, sinceMs: startedMs, listings } };
    }
  }
}

/** An object that the pod refers to appeared, changed or went. */
export function referenceChanged(state: PodState): PodState {
  const failures: PodState['failures'] = Object.fromEntries(
    Object.entries(state.failures).map(([kind, failure]) => {
      const waited = kind === 'update' || failure.problem.kind === 'missingReference';
      return [kind, waited ? { ...failure, retryAtMs: 0 } : failure];
    }),
  );
  return { ...state, outdated: true, failures };
}

/** What failed and is to be tried again is tried now: its cause is gone. */
export function retryNow(state: PodState): PodState {
  const entries = Object.entries(state.failures);
  if (entries.length === 0) return state;
  const failures: PodState['failures'] = Object.fromEntries(
    entries.map(([kind, failure]) => [
      kind,
      Number.isFinite(failure.retryAtMs) ? { ...failure, retryAtMs: 0 } : failure,
    ]),
  );
  return { ...state, failures };
}

/** Time passed. */
export function elapsed(state: PodState, nowMs: number): PodState {
  const { pod } = state;
  if (pod === undefined || state.gone !== 'no' || state.verdict !== undefined || state.phase !== 'syncing')
    return state;
  const deadline = activeDeadlineMs(pod);
  if (deadline === undefined || nowMs < deadline) return state;
  return settle({
    ...state,
    verdict: { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' },
    graceEndsMs: nowMs + specGraceSeconds(pod) * 1000,
    outbox: [
      ...state.outbox,
      {
        severity: 'Normal',
        reason: 'DeadlineExceeded',
        message: 'Pod was active on the node longer than the specified deadline',
      },
    ],
  });
}

export function outboxTaken(state: PodState): PodState {
  return state.outbox.length === 0 ? state : { ...state, outbox: [] };
}

/** It ran, nobody ended it, and it is gone: its controller makes a new pod, this one is never started again. */
function lost(state: PodState): PodState {
  return wouldBeLost(state) ? judgedLost(state, 'The instance of this pod no longer exists on the backend') : state;
}

function judgedLost(state: PodState, message: string): PodState {
  const notice: Notice = { severity: 'Warning', reason: 'InstanceLost', message };
  return { ...state, verdict: { reason: 'InstanceLost', message }, outbox: [...state.outbox, notice] };
}

/** Nobody wants the pod to go: it is there, and will be, when its instance is removed. */
function stays({ pod, gone }: PodState): boolean {
  return pod !== undefined && gone === 'no' && !isDeleting(pod);
}

function mayExist(state: PodState): boolean {
  return state.ran || state.created !== 'no';
}

/**
 * When the containers must have ended. Counted from when we saw the deletion (or its shortening), so that a clock that
 * differs from the API server's takes nothing away.
 */
function graceEnd(state: PodState, pod: Pod, nowMs: number): number {
  const seconds = pod.metadata?.deletionGracePeriodSeconds;
  const known = state.pod?.metadata;
  const unchanged = known?.deletionTimestamp !== undefined && known.deletionGracePeriodSeconds === seconds;
  if (unchanged && state.graceEndsMs !== undefined) return state.graceEndsMs;
  const end = nowMs + (seconds ?? specGraceSeconds(pod)) * 1000;
  return Math.min(state.graceEndsMs ?? Number.POSITIVE_INFINITY, end);
}

/** The time by which the API server wants the pod to be gone, but never more than its whole grace from now. */
function deletionTimeMs(pod: Pod, nowMs: number): number {
  const seconds = pod.metadata?.deletionGracePeriodSeconds ?? specGraceSeconds(pod);
  const at = Date.parse(pod.metadata?.deletionTimestamp ?? '');
  return Math.min(Number.isNaN(at) ? Number.POSITIVE_INFINITY : at, nowMs + seconds * 1000);
}
