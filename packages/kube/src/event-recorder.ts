import type { Clock } from './clock.ts';
import type { ObjectReference } from './generated/index.ts';
import type { Logger } from './logger.ts';
import type { KubeObject } from './resource-type.ts';
import type { KubeClient } from './transport/client.ts';
import type { LaneName } from './transport/lanes.ts';

export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** "kubelet", "spillway": who says it */
  readonly component: string;
  /** The node it is said from */
  readonly host?: string;
  /** Default: "events" */
  readonly lane?: LaneName;
  /** Distinct events that may wait to be written; more are dropped and counted. Default: 1000 */
  readonly queueLimit?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** An object with its kind and apiVersion (as lists, watches and gets deliver them), or a reference to one. */
export type ObjectReferenceLike = KubeObject | ObjectReference;

export interface EventContent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase: "Pulled", "BackOff" */
  readonly reason: string;
  readonly message: string;
  /** "spec.containers{app}" */
  readonly fieldPath?: string;
}

/** Writes core/v1 Events in the background. */
export class EventRecorder implements AsyncDisposable {
  constructor(options: EventRecorderOptions) {
    void options;
  }

  /** Never throws and never waits. Repeats become one Event with a count. */
  record(object: ObjectReferenceLike, content: EventContent): void {
    throw new Error(`not implemented ${content.reason} ${Object.keys(object).join()}`);
  }

  /** Resolves when what was recorded is written or given up. */
  close(): Promise<void> {
    throw new Error('not implemented');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
