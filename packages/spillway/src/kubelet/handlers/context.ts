import type { Logger } from '@spillway/kube';
import type { Backend } from '../../backends/backend.ts';
import type { KnownPod, PodLookup } from '../../pods/known-pods.ts';
import type { UsageSource } from '../../usage/usage-sampler.ts';
import { Problem } from '../problem.ts';

/** What the kubelet API asks of a backend. */
export type StreamingBackend = Pick<Backend, 'capabilities' | 'logs' | 'exec' | 'attach' | 'portForward'>;

/** What the handlers of one virtual node share. */
export interface HandlerContext {
  readonly nodeName: string;
  readonly pods: PodLookup;
  readonly usage: UsageSource;
  readonly backend: StreamingBackend;
  readonly logger: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Aborted when the server ends: whatever still runs has to end as well. */
  readonly stopping: AbortSignal;
}

/** @throws {Problem} 404 */
export function findPod(pods: PodLookup, namespace: string, name: string, uid?: string): KnownPod {
  const known = pods.byName(namespace, name);
  if (known === undefined) throw new Problem(404, `pod "${name}" does not exist`);
  if (uid !== undefined && known.pod.metadata?.uid !== uid) throw new Problem(404, `pod "${name}" not found`);
  return known;
}
