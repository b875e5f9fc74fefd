import type { Clock, Logger } from '@spillway/kube';
import type { Owner } from '../../backend.ts';
import type { EventHub } from '../../event-hub.ts';
import type { Semaphore } from '../../semaphore.ts';
import type { RuntimeCalls } from '../client/runtime-client.ts';
import type { Images } from '../images.ts';
import type { PodCgroups } from '../pod-cgroups.ts';
import type { PodStore } from '../pod-store.ts';

/** What all pods of a backend share. */
export interface PodContext {
  readonly owner: Owner;
  readonly calls: RuntimeCalls;
  readonly store: PodStore;
  readonly cgroups: PodCgroups;
  readonly images: Images;
  /** Bounds how much is being started at a time. */
  readonly starts: Semaphore;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly machineMemoryBytes: number;
  /** E.g. `containerd`, the prefix of container ids. */
  readonly runtimeName: () => string;
}
