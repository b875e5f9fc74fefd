import { backoffMs } from '@spillway/kube';
import type { InstanceRef, Notice, Refusal } from '../../backends/backend.ts';
import { noRoomReasons, notSupportedReason } from '../../podspec/contract.ts';
import { eventText, reasonSentences, reasonsText } from '../../podspec/review/told.ts';
import { sentences } from '../../podspec/words.ts';
import type { Operation, PodState, Problem } from './pod-state.ts';

/** What a container's `state.waiting` says. */
export interface Waiting {
  readonly reason: string;
  readonly message: string;
}

/** Kinds that stop bursting to the whole pool for a while. */
export function blocksPool(kind: Problem['kind']): kind is 'quota' | 'soldOut' | 'blocked' {
  return kind === 'quota' || kind === 'soldOut' || kind === 'blocked';
}

const reasons: Readonly<Record<Problem['kind'], string>> = {
  ...noRoomReasons,
  blocked: 'BackendBlocked',
  invalid: 'BackendRefused',
  unauthorized: 'BackendUnauthorized',
  throttled: 'BackendThrottled',
  unavailable: 'BackendUnavailable',
  notFound: 'CreateInstanceError',
  conflict: 'CreateInstanceError',
  internal: 'CreateInstanceError',
  missingReference: 'CreateContainerConfigError',
  unprepared: 'BackendNotPrepared',
  api: 'ApiServerUnavailable',
  stillThere: 'Unknown',
};

export function waitingFor({ kind, reason, message, remedy }: Problem): Waiting {
  return { reason: reason ?? reasons[kind], message: sentences(message, remedy) };
}

export function waitingForRefusals(refusals: readonly Refusal[]): Waiting {
  return { reason: notSupportedReason, message: reasonsText(refusals) };
}

export function noticesOfRefusals(refusals: readonly Refusal[], { name }: InstanceRef): readonly Notice[] {
  if (refusals.length === 0) return [];
  const message = eventText(reasonSentences(refusals), name);
  return [{ severity: 'Warning', reason: notSupportedReason, message }];
}

/** What of a change its instance does not get, once. */
export function noticesOfChange(
  { content, pod }: Pick<PodState, 'content' | 'pod'>,
  refused: readonly Refusal[],
): readonly Notice[] {
  const known = content?.refused.map(({ field, message }) => `${field}: ${message}`);
  const told = pod?.status?.conditions ?? [];
  return refused.flatMap((each) => {
    const { message } = waitingForRefusals([each]);
    const isTold =
      known?.includes(`${each.field}: ${each.message}`) ?? told.some((one) => one.message?.includes(message));
    const reason = each.code === 'resize-unsupported' ? 'ResizeInfeasible' : notSupportedReason;
    return isTold ? [] : [{ severity: 'Warning', reason, message } as const];
  });
}

/** What people see on the pod; trouble with the API server itself cannot be told there. */
export function noticesOf(operation: Operation['kind'], problem: Problem): readonly Notice[] {
  if (problem.notices !== undefined) return problem.notices;
  if (problem.kind === 'api' || problem.kind === 'stillThere') return [];
  const { reason, message } = waitingFor(problem);
  switch (operation) {
    case 'create':
      return [{ severity: 'Warning', reason, message }];
    case 'update':
      return [{ severity: 'Warning', reason: 'FailedMount', message: `error updating volumes: ${message}` }];
    case 'stop':
      return [{ severity: 'Warning', reason: 'FailedKillPod', message: `error killing pod: ${message}` }];
    case 'remove':
      return [{ severity: 'Warning', reason: 'FailedKillPod', message: `error removing pod: ${message}` }];
    default:
      return [];
  }
}

/** When to try again, in milliseconds from now. Infinity: not before the pod changes. */
export function retryDelayMs(operation: Operation['kind'], key: string, problem: Problem, attempts: number): number {
  if (operation === 'create' && problem.kind === 'invalid') return Number.POSITIVE_INFINITY;
  return Math.max(problem.retryAfterMs ?? 0, backoffMs(`${key}/${operation}`, attempts, backoffOf(problem.kind)));
}

function backoffOf(kind: Problem['kind']): { firstMs: number; maxMs: number } {
  switch (kind) {
    case 'soldOut':
    case 'quota':
    case 'blocked':
    case 'unauthorized':
      return { firstMs: 5000, maxMs: 300_000 };
    // It is tried at once when the backend is prepared.
    case 'unprepared':
      return { firstMs: 30_000, maxMs: 300_000 };
    case 'missingReference':
      return { firstMs: 1000, maxMs: 10_000 };
    case 'stillThere':
      return { firstMs: 1000, maxMs: 30_000 };
    default:
      return { firstMs: 1000, maxMs: 60_000 };
  }
}
