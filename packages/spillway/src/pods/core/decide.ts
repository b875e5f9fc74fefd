import type { Pod, PodStatus } from '@spillway/kube';
import { type Following, followsChanges } from '../../podspec/references.ts';
import { activeDeadlineMs, isDeleting, isTerminalPhase, specGraceSeconds } from '../../podspec/pod-facts.ts';
import { placeholderInstance } from '../intake/placeholder.ts';
import { countsFromMs } from './absence.ts';
import { isUnplaced, placeDueMs } from './place.ts';
import type { Operation, PodState } from './pod-state.ts';
import { type Waiting, waitingFor, waitingForRefusals } from './problems.ts';
import { podStatus, tellsEnd } from '../status/status.ts';
import { refusedConditions } from '../status/transient-conditions.ts';

/** What one pod's virtual node contributes to a decision. */
export interface DecideContext extends Following {
  /** Addresses of the virtual node. */
  readonly hostIPs: readonly string[];
  /** See `Capabilities`. */
  readonly placeWithinMs?: number;
  /** How long an instance is kept after its pod's end was told, for its log. Default: until the pod is deleted */
  readonly keepEndedMs?: number;
}

export interface Decision {
  /** To be done now; at most one, and none while another is under way. */
  readonly operation?: Operation;
  /** What `pods/status` should say; absent: nothing (new) to say. */
  readonly status?: PodStatus;
  /** Decide again at this time at the latest, whatever happens. */
  readonly wakeAtMs?: number;
  /** Nothing can be concluded without (another) complete listing of the backend. */
  readonly needsListing?: boolean;
  /** Nothing is left to do or to know: the state may be dropped. */
  readonly forget?: boolean;
}

/** A backend that answers within this time takes a pod from Pending to Running with one write. */
export const quietMs = 1000;
/** After this much more than its grace, an instance that has not ended is asked again, without grace. */
export const overdueMs = 15_000;
/** A pod that is still there this long after its final delete was accepted is deleted again: the cluster was restored. */
export const deleteAgainMs = 10_000;
/** Volumes are not read again sooner than this after they were; changes that come together are one. */
export const followSpacingMs = 1000;

/** So often has the API server to call the terminal status of a pod invalid before the pod goes without it. */
export const refusalsNeeded = 5;

/**
 * What to do for one pod. Pure: a function of what is known and of the time. It never starts what ran, never ends what
 * should run, removes the API object only after the instance, and the instance only after its end is recorded.
 */
export function decide(state: PodState, nowMs: number, context: DecideContext): Decision {
  const step = nextStep(state, nowMs, context);
  const told = statusToTell(state, nowMs, context);
  const wakeAtMs = earliest(step.wakeAtMs, told.wakeAtMs, deadlineOf(state));
  return {
    ...(step.operation && state.inFlight === undefined ? { operation: step.operation } : {}),
    ...(told.status ? { status: told.status } : {}),
    ...(wakeAtMs === undefined ? {} : { wakeAtMs }),
    ...(step.needsListing ? { needsListing: true } : {}),
    ...(step.forget && state.inFlight === undefined ? { forget: true } : {}),
  };
}

type Step = Pick<Decision, 'operation' | 'wakeAtMs' | 'needsListing' | 'forget'>;

const idle: Step = {};
const waitForListing: Step = { needsListing: true };

function nextStep(state: PodState, nowMs: number, context: DecideContext): Step {
  const { pod } = state;
  if (state.inFlight !== undefined) return idle;
  if (state.gone !== 'no' || pod === undefined) return afterPod(state, nowMs);
  if (state.placeholder) return isDeleting(pod) ? deleteIt(state, pod, nowMs) : idle;
  if (isDeleting(pod)) return deletion(state, pod, nowMs, context);
  if (hasEnded(state, pod)) return isRunning(state) ? stopIt(state, pod, nowMs) : letGo(state, pod, nowMs, context);
  return start(state, pod, nowMs, context);
}

/** This process has asked for it, or somebody has seen it. */
function mayExist({ created, last, ran, withdrawn }: PodState): boolean {
  return created !== 'no' || last !== undefined || ran || withdrawn;
}

/** The API object is gone; whatever the backend still has is stopped and removed by its reference. */
function afterPod(state: PodState, nowMs: number): Step {
  const exists = mayExist(state);
  if (state.removed || (state.observed.kind === 'absent' && !exists)) return { forget: true };
  if (state.observed.kind === 'unknown' && !exists) return waitForListing;
  // The sweep looks after it, with all others that are missing.
  if (state.gone === 'unlisted') return idle;
  if (state.gone === 'reported') return attempt(state, { kind: 'confirmGone' }, nowMs);
  return attempt(state, { kind: 'remove' }, nowMs);
}

/** Nothing waits for an end that the API server will never take; one refusal may be a passing fault of those whom it asks. */
function isGivenUp({ refusedStatus }: PodState, end: PodStatus): boolean {
  return refusedStatus !== undefined && refusedStatus.times >= refusalsNeeded && tellsEnd(refusedStatus.status, end);
}

/** `deletionTimestamp` is set: stop, record the end, remove the instance, remove the API object. */
function deletion(state: PodState, pod: Pod, nowMs: number, context: DecideContext): Step {
  const { observed } = state;
  if (observed.kind === 'unknown') return waitForListing;
  // A stop of what is gone succeeds, so what is only not seen is stopped too.
  if (isRunning(state) || observed.kind === 'doubtful') return stopIt(state, pod, nowMs);
  const end = podStatus(statusInput(state, pod, nowMs, context, { over: true }));
  if (!tellsEnd(pod.status ?? {}, end) && !isGivenUp(state, end)) return idle;
  // Also for a pod of which nothing was ever seen: an earlier process may have died while it created.
  if (!state.removed && (state.inherited || mayExist(state))) return attempt(state, { kind: 'remove' }, nowMs);
  return deleteIt(state, pod, nowMs);
}

function deleteIt(state: PodState, pod: Pod, nowMs: number): Step {
  const { deletedMs } = state;
  // The deletion is final already: only finalizers of others keep the object.
  if (deletedMs !== undefined && pod.metadata?.deletionGracePeriodSeconds === 0) return idle;
  const againAtMs = deletedMs === undefined ? nowMs : deletedMs + deleteAgainMs;
  return nowMs < againAtMs ? { wakeAtMs: againAtMs } : attempt(state, { kind: 'deletePod' }, nowMs);
}

function stopIt(state: PodState, pod: Pod, nowMs: number): Step {
  const deadlineMs = state.graceEndsMs ?? nowMs + specGraceSeconds(pod) * 1000;
  const overdueAtMs = (state.stopped?.deadlineMs ?? deadlineMs) + overdueMs;
  const isFirst = state.stopped === undefined;
  // A deadline that has passed cannot be shortened.
  const isShorter =
    state.stopped !== undefined &&
    state.graceEndsMs !== undefined &&
    nowMs < state.stopped.deadlineMs &&
    state.graceEndsMs < state.stopped.deadlineMs - 500;
  const looks = state.observed.kind === 'doubtful' ? lookAgain(state, nowMs) : idle;
  if (isFirst || isShorter) {
    const graceSeconds = Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
    return attempt(state, { kind: 'stop', graceSeconds, deadlineMs }, nowMs);
  }
  if (nowMs >= overdueAtMs) {
    return sooner(attempt(state, { kind: 'stop', graceSeconds: 0, deadlineMs: nowMs }, nowMs), looks);
  }
  return sooner({ wakeAtMs: overdueAtMs }, looks);
}

/** The cluster knows how the pod ended. Of its instance only the log is of use, and it takes a place. */
function letGo(state: PodState, pod: Pod, nowMs: number, context: DecideContext): Step {
  const { observed, endedMs } = state;
  const { keepEndedMs } = context;
  if (observed.kind !== 'present' || endedMs === undefined || keepEndedMs === undefined) return idle;
  if (!tellsEnd(pod.status ?? {}, podStatus(statusInput(state, pod, nowMs, context, { over: true })))) return idle;
  const dueMs = endedMs + keepEndedMs;
  return nowMs < dueMs ? { wakeAtMs: dueMs } : attempt(state, { kind: 'remove' }, nowMs);
}

/** The pod should run. */
function start(state: PodState, pod: Pod, nowMs: number, context: DecideContext): Step {
  switch (state.observed.kind) {
    case 'unknown':
    case 'doubtful':
      return lookAgain(state, nowMs);
    case 'present':
      // Half of an instance, or an earlier process's create whose answer nobody heard: completed by asking again.
      return state.observed.instance.state === 'starting' && state.created !== 'accepted'
        ? create(state, nowMs)
        : sooner(withdrawal(state, nowMs, context), follow(state, pod, nowMs, context));
    default:
      return create(state, nowMs);
  }
}

function create(state: PodState, nowMs: number): Step {
  const final = state.failures.create?.retryAtMs === Number.POSITIVE_INFINITY;
  if (state.phase !== 'syncing' || state.ran || state.refusals.length > 0 || final) return idle;
  return attempt(state, { kind: 'create', again: state.created !== 'no' }, nowMs);
}

/** What nobody has had a place for in time is taken back; the pool is sold out. */
function withdrawal(state: PodState, nowMs: number, context: DecideContext): Step {
  const dueMs = placeDueMs(state, context);
  if (dueMs === undefined) return idle;
  return nowMs < dueMs ? { wakeAtMs: dueMs } : attempt(state, { kind: 'withdraw' }, nowMs);
}

/**
 * The instance follows its pod, volumes and logins what they are made of, and tokens are renewed; what an earlier process
 * wrote into volumes is not known.
 */
function follow(state: PodState, pod: Pod, nowMs: number, context: DecideContext): Step {
  if (state.phase !== 'syncing') return idle;
  const dueMs = followDueMs(state, pod, nowMs, context);
  if (nowMs >= dueMs) return attempt(state, { kind: 'update' }, nowMs);
  return Number.isFinite(dueMs) ? { wakeAtMs: dueMs } : idle;
}

function followDueMs(state: PodState, pod: Pod, nowMs: number, context: DecideContext): number {
  const { content, outdated } = state;
  const follows = followsChanges(pod, context);
  if (content === undefined) {
    return follows || !isCarriedOut(state) || forgotRefusals(state, pod) ? nowMs : Number.POSITIVE_INFINITY;
  }
  if (!isCarriedOut(state) || (follows && outdated)) return content.readMs + followSpacingMs;
  return follows ? content.renewAtMs : Number.POSITIVE_INFINITY;
}

/** Whether the instance is there only a listing tells, and not every one counts. */
function lookAgain(state: PodState, nowMs: number): Step {
  const countMs = state.observed.kind === 'doubtful' ? countsFromMs(state, state.observed) : nowMs;
  return nowMs < countMs ? { wakeAtMs: countMs } : waitForListing;
}

/** The first operation of the two, and whichever time comes first. */
function sooner(first: Step, second: Step): Step {
  const wakeAtMs = earliest(first.wakeAtMs, second.wakeAtMs);
  return { ...second, ...first, ...(wakeAtMs !== undefined && { wakeAtMs }) };
}

/** The operation, unless it failed a moment ago. */
function attempt(state: PodState, operation: Operation, nowMs: number): Step {
  const failure = state.failures[operation.kind];
  return failure !== undefined && nowMs < failure.retryAtMs ? { wakeAtMs: failure.retryAtMs } : { operation };
}

/** The pod's end is decided, whether or not something still runs. */
function hasEnded(state: PodState, pod: Pod): boolean {
  return isTerminalPhase(pod.status?.phase) || state.verdict !== undefined || state.last?.state === 'ended';
}

function isRunning({ observed }: PodState): boolean {
  return observed.kind === 'present' && observed.instance.state !== 'ended';
}

function statusToTell(
  state: PodState,
  nowMs: number,
  context: DecideContext,
): { status?: PodStatus; wakeAtMs?: number | undefined } {
  const { pod, observed } = state;
  if (pod === undefined || state.gone !== 'no') return {};
  if (state.placeholder) return isDeleting(pod) ? {} : { status: placeholderStatus(state, pod, nowMs) };
  if (observed.kind === 'unknown') return {};
  const tell = (more: { over: boolean; waiting?: Waiting }): { status: PodStatus } => ({
    status: podStatus(statusInput(state, pod, nowMs, context, more)),
  });
  // Until the end is known for certain, the status stays what it was.
  const nothingRuns = observed.kind === 'absent' || (observed.kind === 'present' && !isRunning(state));
  const ending = isDeleting(pod) || hasEnded(state, pod);
  if (ending && nothingRuns) return state.inFlight?.kind === 'create' ? {} : tell({ over: true });
  if (observed.kind === 'doubtful' && state.ran) return {};
  if (observed.kind === 'present' && observed.instance.state !== 'starting') return tell({ over: false });
  const waiting = holdup(state);
  if (waiting !== undefined && (observed.kind !== 'present' || isUnplaced(state)))
    return tell({ over: false, waiting });
  const quietUntilMs = state.firstSeenMs + quietMs;
  return nowMs < quietUntilMs ? { wakeAtMs: quietUntilMs } : tell({ over: false });
}

function placeholderStatus(state: PodState, pod: Pod, nowMs: number): PodStatus {
  const input = statusInput(state, pod, nowMs, { hostIPs: [] }, { over: false });
  return podStatus({ ...input, instance: placeholderInstance(pod, state.firstSeenMs) });
}

/** What keeps the pod from being created. */
function holdup(state: PodState): Waiting | undefined {
  if (state.refusals.length > 0) return waitingForRefusals(state.refusals);
  const failure = state.failures.create;
  return failure && waitingFor(failure.problem);
}

function statusInput(
  state: PodState,
  pod: Pod,
  nowMs: number,
  { hostIPs }: DecideContext,
  more: { over: boolean; waiting?: Waiting },
): Parameters<typeof podStatus>[0] {
  return {
    pod,
    // What has no place yet knows nothing of its containers.
    instance: isUnplaced(state) ? undefined : state.last,
    verdict: state.verdict,
    carriedOut: isCarriedOut(state),
    refused: state.last === undefined ? [] : state.content?.refused,
    ran: state.ran,
    hostIPs,
    firstSeenMs: state.firstSeenMs,
    nowMs,
    ...more,
  };
}

function deadlineOf({ pod, phase }: PodState): number | undefined {
  return pod === undefined || phase !== 'syncing' ? undefined : activeDeadlineMs(pod);
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined;
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time;
  return first;
}

/** Has the instance become what the pod is now, but for what was refused? What is not created yet will be just that. */
function isCarriedOut({ revision, content, last, created }: PodState): boolean {
  const carried = content?.revision ?? last?.revision;
  return carried === undefined ? created === 'no' && last === undefined : carried === revision;
}

/** An earlier process knew what its instance does not get; asking again tells. */
function forgotRefusals({ content }: PodState, { status }: Pod): boolean {
  return content === undefined && (status?.conditions ?? []).some(({ type }) => refusedConditions.has(type));
}
