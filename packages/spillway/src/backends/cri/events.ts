import type { Clock, Logger } from '@spillway/kube';
import type { InstanceRef } from '../backend.ts';
import { isUnimplemented } from './client/errors.ts';
import type { RuntimeClient } from './client/runtime-client.ts';

const reconnectMs = 1000;

export interface FollowEventsDependencies {
  readonly client: Pick<RuntimeClient, 'events'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Tells at once which pod something happened to, where the runtime can: containerd from 1.7 on. It only hastens what the next
 * listing would show, so nothing is lost while it is away, and an older runtime just answers later. Settles when the signal
 * aborts, or at once where there are no events.
 */
export async function followEvents(
  { client, clock, logger }: FollowEventsDependencies,
  happened: (uid: InstanceRef['uid']) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { podSandboxStatus } of client.events(signal)) happened(podSandboxStatus?.metadata?.uid ?? '');
    } catch (error) {
      if (isUnimplemented(error)) {
        logger.debug({}, 'the container runtime has no events; it is listed instead');
        return;
      }
    }
    await clock.sleep(reconnectMs, signal);
  }
}
