import type { Pod } from '@spillway/kube';
import { containersOf } from '../../../podspec/containers.ts';
import type { Notice } from '../../../podspec/notice.ts';
import type { InstanceRef } from '../../backend.ts';
import { backoffOf, type Situation } from './decide.ts';
import { latestContainer, type ObservedContainer } from './observed.ts';
import { isWaiting } from './plan.ts';

/** Events that follow from what is seen rather than from what is done; each is said once. */
export class Announcements {
  readonly #pod: Pod;
  readonly #ref: InstanceRef;
  readonly #send: (notice: Notice) => void;
  /** By container name: what was said last, so that the memory is bounded by the pod's size. */
  readonly #said = new Map<string, string>();

  constructor(pod: Pod, ref: InstanceRef, send: (notice: Notice) => void) {
    this.#pod = pod;
    this.#ref = ref;
    this.#send = send;
  }

  /** Containers that wait for another try. */
  waiting(situation: Situation): void {
    if (situation.intent.stopBy !== undefined) return;
    for (const { container, fieldPath } of containersOf(this.#pod)) {
      const { name } = container;
      const failure = situation.failures.get(name);
      if (failure?.backoff && isWaiting(failure, situation.now)) {
        if (!this.#isNew(name, `failure ${failure.at}`)) continue;
        const { event, reason } = failure.backoff;
        this.#send({ severity: 'Normal', reason: 'BackOff', message: event, fieldPath });
        this.#send({ severity: 'Warning', reason: 'Failed', message: `Error: ${reason}`, fieldPath });
        continue;
      }
      const latest = latestContainer(situation.pod, name);
      if (failure || !latest || backoffOf(situation, latest) === undefined) continue;
      if (!this.#isNew(name, `restart ${latest.id}`)) continue;
      const { namespace, name: podName, uid } = this.#ref;
      const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
      this.#send({ severity: 'Warning', reason: 'BackOff', message, fieldPath });
    }
  }

  /** Containers that are being ended. */
  killing(containers: readonly ObservedContainer[]): void {
    for (const { container, fieldPath } of containersOf(this.#pod)) {
      const target = containers.find(({ name, state }) => name === container.name && state !== 'created');
      if (!target || !this.#isNew(container.name, `killing ${target.id}`)) continue;
      this.#send({ severity: 'Normal', reason: 'Killing', message: `Stopping container ${container.name}`, fieldPath });
    }
  }

  #isNew(name: string, what: string): boolean {
    if (this.#said.get(name) === what) return false;
    this.#said.set(name, what);
    return true;
  }
}
