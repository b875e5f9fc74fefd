import type { EventRecorder } from '@spillway/kube';
import type { InstanceRef, Notice } from '../backends/backend.ts';

export interface PodEventsOptions {
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly onRecorded?: (type: Notice['severity']) => void;
}

/** Events on pods, with the kubelet's reasons. Repeats and floods are the recorder's to tame. */
export class PodEvents {
  readonly #options: PodEventsOptions;

  constructor(options: PodEventsOptions) {
    this.#options = options;
  }

  record({ uid, namespace, name }: InstanceRef, { severity, reason, message, fieldPath, component }: Notice): void {
    this.#options.recorder.record(
      { apiVersion: 'v1', kind: 'Pod', uid, namespace, name },
      { type: severity, reason, message: shortened(message), fieldPath, component },
    );
    this.#options.onRecorded?.(severity);
  }
}

/** The API server refuses longer ones. */
const longestMessage = 1024;

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 1)}…`;
}
