import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { KubeObject, ResourceType } from '../resource-type.ts';
import type { KubeClient } from '../transport/client.ts';
import type { LaneName } from '../transport/lanes.ts';
import type { IndexFunction, Store } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly type: ResourceType<T>;
  /** Default: all namespaces */
  readonly namespace?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly labelSelector?: string | undefined;
  /** Called once for each object that comes in, before it is stored or delivered. May change its argument. */
  readonly transform?: ((object: T) => T) | undefined;
  /** Default: false, `metadata.managedFields` is dropped */
  readonly keepManagedFields?: boolean | undefined;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  readonly lane?: LaneName | undefined;
  /** Default: 500 */
  readonly pageSize?: number | undefined;
  /** Default: true. Start with a streamed list (WatchList) where the server can. */
  readonly watchList?: boolean | undefined;
  readonly logger?: Logger | undefined;
  /** Every failed list or watch; the informer goes on by itself. */
  readonly onError?: ((error: unknown) => void) | undefined;
  readonly clock?: Clock | undefined;
  /** 0 ≤ x < 1. Default: Math.random */
  readonly random?: (() => number) | undefined;
}

/** Called synchronously, in the order of the cluster's history. An exception is logged and changes nothing. */
export interface InformerHandlers<T> {
  added?(object: T): void;
  changed?(old: T, object: T): void;
  /** With the last known state: also for objects whose deletion was only noticed by a new list. */
  deleted?(object: T): void;
  /** Once, after all objects of the first complete list were delivered as added */
  synced?(): void;
}

/** A copy of a collection that repairs itself. A name that comes back with another UID is deleted and added. */
export class Informer<T extends KubeObject> {
  readonly store: Store<T>;
  readonly synced: Promise<void>;

  constructor(options: ReflectorOptions<T>) {
    throw new Error(`not implemented: ${options.type.kind}`);
  }

  hasSynced(): boolean {
    throw new Error('not implemented');
  }

  /** What is already known is delivered as added at once. */
  subscribe(handlers: InformerHandlers<T>): Disposable {
    throw new Error(`not implemented ${Object.keys(handlers).join()}`);
  }

  /** Resolves when `signal` is aborted and the watch is closed. Never rejects for trouble with the server. Call it once. */
  run(signal: AbortSignal): Promise<void> {
    throw new Error(`not implemented ${signal.aborted}`);
  }
}
