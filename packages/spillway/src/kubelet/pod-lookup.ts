import type { Pod } from '@spillway/kube';
import type { Instance } from '../backends/backend.ts';
import type { Explanation } from '../pods/explain.ts';

/** The pods of one virtual node, as they are known now. Answers come from memory. */
export interface PodLookup {
  byName(namespace: string, name: string): KnownPod | undefined;
  all(): Iterable<KnownPod>;
  explain(namespace: string, name: string): Explanation | undefined;
}

export interface KnownPod {
  readonly pod: Pod;
  /** What the backend runs for it; absent before it was created and after it is gone. */
  readonly instance?: Instance;
  /** Why nothing runs for the pod although it is shown as running. */
  readonly placeholder?: string;
}
