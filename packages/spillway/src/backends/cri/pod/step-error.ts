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
}

/** A step of a pod's start that did not work and is tried again. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly reason: string;
  readonly notices: StepErrorDetails['notices'];
  readonly backoff: StepErrorDetails['backoff'];

  constructor(message: string, { reason, notices, backoff, cause }: StepErrorDetails) {
    super(message, { cause });
    this.reason = reason;
    this.notices = notices;
    this.backoff = backoff;
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
    throw new StepError(message, {
      reason,
      notices: [{ severity: 'Warning', reason: event.reason, message: `${event.prefix}${message}` }],
      cause: error,
    });
  }
}
