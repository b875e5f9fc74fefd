import type { Clock } from './clock.ts';
import type { KubeClient } from './transport/client.ts';

export interface NodeLeaseOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** UID of the node object, for the lease's owner reference; asked again when the lease has to be made or its owner changed */
  readonly nodeUid: () => Promise<string>;
  /** Default: 40 */
  readonly durationSeconds?: number;
  /** Default: 10,000; jittered by up to 4 % as in the kubelet */
  readonly renewIntervalMs?: number;
  readonly signal: AbortSignal;
  readonly onRenewed?: (at: Date) => void;
  /** The lease is tried again for ever. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** Keeps the node's lease in kube-node-lease fresh until `signal` is aborted. Never rejects. */
export function runNodeLease(options: NodeLeaseOptions): Promise<void> {
  throw new Error(`not implemented ${options.nodeName}`);
}
