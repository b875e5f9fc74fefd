import type { Clock } from '@spillway/kube';
import type { Fault, FaultKind } from '../faults.ts';
import { apiRefusal, type Refusal } from '../refusal.ts';

/** Faults that strike before the call is done: waits as one says, and answers as another says; undefined: it goes on. */
export async function spoil(met: ReadonlyMap<FaultKind['kind'], Fault>, clock: Clock): Promise<Refusal | undefined> {
  const latency = met.get('latency');
  if (latency?.kind === 'latency') await clock.sleep(latency.ms);
  const fault = met.get('answer');
  if (fault?.kind !== 'answer') return undefined;
  return fault.status === 429
    ? apiRefusal(429, 'TooManyRequests', 'too many requests, please try again later')
    : apiRefusal(fault.status, 'InternalError', 'the service is temporarily not available');
}
