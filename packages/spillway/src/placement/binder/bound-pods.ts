import { type KubeClient, type Pod, pods, refOf, type Store, uidOf, WorkQueue } from '@spillway/kube';
import { retryBackoff } from '../retry-backoff.ts';
import type { Side } from '../profiles/side.ts';
import type { ScheduleProfile } from '../rules/schedule-profile.ts';
import { workThrough } from '../work-through.ts';
import { boundPodPatch } from './bound-pod-patch.ts';

export interface BoundPodsOptions {
  readonly client: Pick<KubeClient, 'resource'>;
  readonly pods: Store<Pod>;
  /** Undefined: a virtual node of somebody else. */
  readonly sideOf: (nodeName: string) => Side | undefined;
  readonly profileOf: (pod: Pod) => ScheduleProfile | undefined;
  readonly onError: (error: unknown) => void;
}

/** No hurry: bindings and starts go first. */
const pauseMs = 1000;
const writers = 2;

/** Completes pods after they were bound: tolerations and deletion cost. */
export class BoundPods {
  readonly #options: BoundPodsOptions;
  readonly #queue = new WorkQueue<string>({ rateLimiter: retryBackoff() });

  constructor(options: BoundPodsOptions) {
    this.#options = options;
  }

  podSeen(pod: Pod): void {
    if (this.#patchOf(pod) !== undefined) this.#queue.addAfter(uidOf(pod), pauseMs);
  }

  /** Resolves when `signal` is aborted and nothing is under way. */
  async run(signal: AbortSignal): Promise<void> {
    await workThrough(this.#queue, writers, (uid) => this.#complete(uid, signal), this.#options.onError, signal);
  }

  #patchOf(pod: Pod): object | undefined {
    const nodeName = pod.spec?.nodeName ?? '';
    const side = nodeName === '' ? undefined : this.#options.sideOf(nodeName);
    if (side === undefined) return undefined;
    const location = this.#options.profileOf(pod)?.spec.location;
    return boundPodPatch(pod, side, location);
  }

  async #complete(uid: string, signal: AbortSignal): Promise<void> {
    const pod = this.#options.pods.getByUid(uid);
    const body = pod && this.#patchOf(pod);
    if (pod === undefined || body === undefined) return;
    await this.#options.client
      .resource(pods)
      .patch(refOf(pod), { type: 'strategic', body }, { lane: 'background', signal });
  }
}
