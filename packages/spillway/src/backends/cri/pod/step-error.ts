import type { Notice } from '../../../podspec/notice.ts';
import { BackendError } from '../../backend.ts';
import type { WaitingBackoff } from './plan.ts';

export interface StepErrorDetails extends ErrorOptions {
  /** For `state.waiting`, e.g. `ErrImagePull`. */
  readonly reason: string;
  /** The events that say it, in order; container events get their field path when they are sent. */
  readonly notices: readonly Omit<Notice, 'fieldPath'>[];
  /** What the container waits with after the failure was shown. The delay before the next try then doubles. */
  readonly backoff?: WaitingBackoff;
  /** When the next try is; default: in 10 s. */
  readonly retryMs?: number;
}

const underWay = /is reserved for|is already in starting state/;
const underWayRetryMs = 250;

/** A step of a pod's start that did not work and is tried again. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly reason: string;
  readonly notices: StepErrorDetails['notices'];
  readonly backoff: StepErrorDetails['backoff'];
  readonly retryMs: number | undefined;

  constructor(message: string, { reason, notices, backoff, retryMs, cause }: StepErrorDetails) {
    super(message, { cause });
    this.reason = reason;
    this.notices = notices;
    this.backoff = backoff;
    this.retryMs = retryMs;
  }
}

/** Wraps what goes wrong in `work`. A runtime that is away is not the step's failure and passes through. */
export async function asStep<T>(
  reason: string,
  event: { reason: string; prefix: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StepError || (error instanceof BackendError && error.kind === 'unavailable')) throw error;
    const message = error instanceof Error ? error.message : String(error);
    // A process that died while it made this left the runtime at work on it. The runtime notices, within seconds, and cleans
    // up or completes it.
    if (underWay.test(message))
      throw new StepError(message, { reason, notices: [], retryMs: underWayRetryMs, cause: error });
    throw new StepError(message, {
      reason,
      notices: [{ severity: 'Warning', reason: event.reason, message: `${event.prefix}${message}` }],
      cause: error,
    });
  }
}
