import { ApiError, backoffMs, type Clock, errorMessage, TransportError } from '@spillway/kube';
import { BackendError } from '../backends/backend.ts';

export interface Persistence {
  readonly tell: (line: string) => void;
  readonly clock: Clock;
}

/** Tries again until it succeeds, and tells why it does not. @throws what it failed with last, once the signal is aborted */
export async function persist<T>(
  doing: string,
  work: () => Promise<T>,
  { tell, clock }: Persistence,
  signal: AbortSignal,
): Promise<T> {
  let told = '';
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw told === '' ? error : new Error(told, { cause: error });
      if (!mayPass(error)) throw error;
      const reason = reasonOf(error);
      if (reason !== told) tell(`${doing}: ${reason}; trying again`);
      told = reason;
      await clock.sleep(backoffMs(doing, failures, { firstMs: 500, maxMs: 10_000 }), signal);
    }
  }
}

/** All else is a mistake of ours. */
const mayPass = (error: unknown): boolean =>
  error instanceof BackendError || error instanceof ApiError || error instanceof TransportError;

export function reasonOf(error: unknown): string {
  const remedy = error instanceof BackendError ? error.remedy : undefined;
  return remedy === undefined ? errorMessage(error) : `${errorMessage(error)}. ${remedy}`;
}
