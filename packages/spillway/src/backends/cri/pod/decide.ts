import { nextBackoff, restartAt } from '../../restart-backoff.ts';
import { isAlive, latestContainer, latestSandbox, type ObservedContainer, type ObservedPod } from './observed.ts';
import { type Failure, type Intent, type PodPlan, showFailureMs } from './plan.ts';

/** The one thing to do next. `wait`: nothing now; look again at the time, or when something changes. */
export type Decision =
  | { readonly step: 'createSandbox'; readonly attempt: number }
  | { readonly step: 'start'; readonly start: StartStep }
  | { readonly step: 'stopContainers'; readonly containers: readonly ObservedContainer[]; readonly stopBy: number }
  | { readonly step: 'stopSandbox'; readonly sandboxId: string }
  /** The instance ends for a reason of its own, which is to be written down. */
  | { readonly step: 'expire'; readonly stopBy: number; readonly reason: string; readonly message: string }
  | { readonly step: 'wait'; readonly until?: number }
  /** Nothing runs and nothing will run again. */
  | { readonly step: 'ended' }
  /** Everything is to be taken away, whatever it is doing. */
  | { readonly step: 'destroy' };

export interface StartStep {
  readonly name: string;
  readonly attempt: number;
  readonly backoffMs: number;
  /** A container that was created and not started: a crash came between. */
  readonly createdId?: string;
  /** A container of the same attempt that never ran, because whoever started it went away. It is taken out of the way. */
  readonly discardId?: string;
}

export interface Situation {
  readonly plan: PodPlan;
  readonly intent: Intent;
  readonly pod: ObservedPod;
  /** By container name; `''` is the sandbox. */
  readonly failures: ReadonlyMap<string, Failure>;
  readonly now: number;
}

/** The kubelet's rules for sandboxes, init containers, containers and restart policy. Pure. */
export function decide(situation: Situation): Decision {
  const { plan, intent, pod, now } = situation;
  if (intent.removing) return { step: 'destroy' };
  if (intent.stopBy !== undefined) return wind(situation, intent.stopBy);
  if (isFinished(plan, pod)) return wind(situation, now);
  const deadline = expiry(plan, intent);
  if (now >= deadline) {
    return {
      step: 'expire',
      stopBy: now + plan.graceSeconds * 1000,
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
  }
  if (isLost(situation)) {
    const message =
      'Sandbox and containers are gone from the container runtime; the pod may have run and is not run twice';
    return { step: 'expire', stopBy: now, reason: 'InstanceLost', message };
  }
  const decision = advance(situation);
  if (decision.step !== 'wait') return decision;
  const until = Math.min(decision.until ?? Number.POSITIVE_INFINITY, deadline);
  return until === Number.POSITIVE_INFINITY ? { step: 'wait' } : { step: 'wait', until };
}

/** Whether the container's end is final under the pod's restart policy. Init containers that succeeded are done in any case. */
export function isFinal(plan: PodPlan, container: ObservedContainer): boolean {
  if (container.state !== 'exited' || isAborted(container)) return false;
  const succeeded = container.exitCode === 0;
  if (plan.initContainers.includes(container.name)) return succeeded || plan.restartPolicy === 'Never';
  return plan.restartPolicy === 'Never' || (plan.restartPolicy === 'OnFailure' && succeeded);
}

/** The runtime gave up a start because the process that had asked for it was gone. Nothing of the container ran. */
export function isAborted({ reason, message = '' }: ObservedContainer): boolean {
  return (
    reason === 'StartError' && /context canceled|context deadline exceeded|start failed: : signal: killed/.test(message)
  );
}

/** Why a container that shall run does not, when it is us who wait. */
export function backoffOf(situation: Situation, container: ObservedContainer): number | undefined {
  const { plan, now } = situation;
  if (container.state !== 'exited' || isFinal(plan, container)) return undefined;
  const at = restartAt(ended(container));
  return now < at ? at : undefined;
}

/** Everything ended for good: an init container failed for ever, or every container is done. */
function isFinished(plan: PodPlan, pod: ObservedPod): boolean {
  const failedInit = plan.initContainers.some((name) => {
    const container = latestContainer(pod, name);
    return container && isFinal(plan, container) && container.exitCode !== 0;
  });
  if (failedInit) return true;
  return plan.containers.every((name) => {
    const container = latestContainer(pod, name);
    return container !== undefined && isFinal(plan, container);
  });
}

/** Under `Never` a container runs once. When its record is gone, nobody knows any more whether it did. */
function isLost({ plan, intent, pod }: Situation): boolean {
  const had = intent.podIPs.length > 0;
  return plan.restartPolicy === 'Never' && had && pod.sandboxes.length + pod.containers.length === 0;
}

function wind({ pod, now }: Situation, stopBy: number): Decision {
  const alive = pod.containers.filter(isAlive);
  if (alive.length > 0) return { step: 'stopContainers', containers: alive, stopBy: Math.max(stopBy, now) };
  const sandbox = pod.sandboxes.find(({ ready }) => ready);
  return sandbox ? { step: 'stopSandbox', sandboxId: sandbox.id } : { step: 'ended' };
}

function advance(situation: Situation): Decision {
  const { plan, pod, now } = situation;
  const sandbox = latestSandbox(pod);
  const stray = pod.containers.filter((each) => isAlive(each) && each.sandboxId !== sandbox?.id);
  const undead = sandbox && !sandbox.ready ? pod.containers.filter(isAlive) : stray;
  if (undead.length > 0) return { step: 'stopContainers', containers: undead, stopBy: now + plan.graceSeconds * 1000 };
  if (!sandbox?.ready) {
    const blocked = blockedUntil(situation, '');
    if (blocked !== undefined) return { step: 'wait', until: blocked };
    return { step: 'createSandbox', attempt: sandbox ? sandbox.attempt + 1 : 0 };
  }

  const here = pod.containers.filter(({ sandboxId }) => sandboxId === sandbox.id);
  const initialized = here.some(({ name }) => plan.containers.includes(name));
  if (!initialized) {
    for (const name of plan.initContainers) {
      const container = latestContainer({ sandboxes: [], containers: here }, name);
      if (container?.state === 'exited' && container.exitCode === 0) continue;
      return next(situation, name, sandbox.id);
    }
  }
  let until = Number.POSITIVE_INFINITY;
  for (const name of plan.containers) {
    const decision = next(situation, name, sandbox.id);
    if (decision.step !== 'wait') return decision;
    until = Math.min(until, decision.until ?? until);
  }
  return until === Number.POSITIVE_INFINITY ? { step: 'wait' } : { step: 'wait', until };
}

/** What to do about one container of a ready sandbox. */
function next(situation: Situation, name: string, sandboxId: string): Decision {
  const { plan, pod, now } = situation;
  const last = latestContainer(pod, name);
  const here = last?.sandboxId === sandboxId;
  const isInit = plan.initContainers.includes(name);
  if (last && here && last.state === 'running') return { step: 'wait' };
  if (last?.state === 'unknown') return { step: 'stopContainers', containers: [last], stopBy: now };
  if (last && isAborted(last)) {
    const { attempt, backoffMs, id: discardId } = last;
    return { step: 'start', start: { name, attempt, backoffMs, discardId } };
  }
  // An init container that succeeded in an earlier sandbox runs again in this one.
  if (last && isFinal(plan, last) && (here || !isInit)) return { step: 'wait' };

  const blocked = blockedUntil(situation, name) ?? (last && backoffOf(situation, last));
  if (blocked !== undefined) return { step: 'wait', until: blocked };
  if (!last) return { step: 'start', start: { name, attempt: 0, backoffMs: 0 } };
  const { attempt, backoffMs, id } = last;
  if (last.state === 'created') return { step: 'start', start: { name, attempt, backoffMs, createdId: id } };
  return { step: 'start', start: { name, attempt: attempt + 1, backoffMs: nextBackoff(ended(last)) } };
}

/** Undefined: nothing stands in the way. Otherwise when to look again: to say that we wait, then to try. */
function blockedUntil({ failures, now }: Situation, name: string): number | undefined {
  const failure = failures.get(name);
  if (!failure || now >= failure.retryAt) return undefined;
  const announce = failure.at + showFailureMs;
  return failure.backoff && now < announce && announce < failure.retryAt ? announce : failure.retryAt;
}

function expiry({ activeDeadlineSeconds }: PodPlan, { acceptedAt }: Intent): number {
  return activeDeadlineSeconds === undefined ? Number.POSITIVE_INFINITY : acceptedAt + activeDeadlineSeconds * 1000;
}

function ended(container: ObservedContainer): { backoffMs: number; createdAt: number; finishedAt: number } {
  const { backoffMs, createdAt, finishedAt = createdAt } = container;
  return { backoffMs, createdAt, finishedAt };
}
