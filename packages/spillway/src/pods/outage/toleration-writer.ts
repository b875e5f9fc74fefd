import {
  backoffMs,
  type Clock,
  isForbidden,
  isNotFound,
  type KubeClient,
  type Pod,
  pods,
  systemClock,
  uidOf,
  WorkQueue,
} from '@spillway/kube';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { type DefaultTolerationSeconds, outageTaintKeys, unlimitedTolerations } from './tolerated-outage.ts';

export interface TolerationWriterOptions {
  /** Client of the controller: a node may not change the specs of its pods. */
  readonly client: Pick<KubeClient, 'resource'>;
  /** Did the pod's author ask for a virtual node? The spec of any other is its author's until an outage begins. */
  readonly asked: (pod: Pod) => boolean;
  /** The pod as the cluster has it, by UID; undefined: it is gone. */
  readonly live: (uid: string) => Pod | undefined;
  readonly defaults: (signal: AbortSignal) => Promise<DefaultTolerationSeconds>;
  /** It will be tried again. */
  readonly onError: (error: unknown, pod?: Pod) => void;
  readonly clock?: Clock;
}

const retry = { firstMs: 1000, maxMs: 60_000 };

/**
 * Sees to it that pods outlive an outage of Spillway, as far as admission could not: where a pod may run on real nodes too, it
 * is not known before it is bound. There are minutes for that, so it goes one by one, and a burst of pods does not wait for it.
 */
export class TolerationWriter {
  readonly #options: TolerationWriterOptions;
  readonly #clock: Clock;
  readonly #queue: WorkQueue<string>;
  readonly #attempts = new Map<string, number>();
  #defaults: DefaultTolerationSeconds | undefined;

  constructor(options: TolerationWriterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#queue = new WorkQueue({ clock: this.#clock });
  }

  /** A pod is new or has changed. */
  seen(pod: Pod): void {
    if (hasLimit(pod) && this.#options.asked(pod)) this.#queue.add(uidOf(pod));
  }

  /** This process ends, and nobody knows for how long: also pods that asked for nothing are to outlive that. */
  async outageBegins(running: Iterable<Pod>, signal: AbortSignal): Promise<void> {
    for (const pod of running) {
      if (signal.aborted) return;
      if (hasLimit(pod)) await this.#liftLimits(uidOf(pod), signal);
    }
  }

  /** Resolves when `signal` is aborted and no write is under way. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const uid = await this.#queue.get(signal);
      if (uid === undefined) return;
      await this.#liftLimits(uid, signal);
      this.#queue.done(uid);
    }
  }

  async #liftLimits(uid: string, signal: AbortSignal): Promise<void> {
    this.#defaults ??= await this.#readDefaults(signal);
    if (this.#defaults !== undefined) await this.#write(uid, this.#defaults, signal);
  }

  /** Undefined when `signal` is aborted. */
  async #readDefaults(signal: AbortSignal): Promise<DefaultTolerationSeconds | undefined> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        return await this.#options.defaults(signal);
      } catch (error) {
        if (signal.aborted) break;
        // The node is registered at about the same time.
        if (!isNotFound(error)) this.#options.onError(error);
        await this.#clock.sleep(backoffMs('defaults', attempt, retry), signal);
      }
    }
    return undefined;
  }

  async #write(uid: string, defaults: DefaultTolerationSeconds, signal: AbortSignal): Promise<void> {
    const pod = this.#options.live(uid);
    const body = pod && unlimitedTolerations(pod, defaults);
    if (pod === undefined || body === undefined) {
      this.#attempts.delete(uid);
      return;
    }
    try {
      await this.#options.client
        .resource(pods)
        .patch(instanceRef(pod), { type: 'json', body }, { lane: 'tolerations', signal });
      this.#attempts.delete(uid);
    } catch (error) {
      if (signal.aborted) return;
      const attempts = (this.#attempts.get(uid) ?? 0) + 1;
      // The first time it may be that the watch is late: the pod is gone, or its tolerations are others by now.
      if (attempts > 1 || isForbidden(error)) this.#options.onError(error, pod);
      this.#attempts.set(uid, attempts);
      this.#queue.addAfter(uid, backoffMs(`${uid}/tolerations`, attempts, retry));
      // A right that is missing is missing for all pods.
      if (isForbidden(error)) await this.#clock.sleep(retry.maxMs, signal);
    }
  }
}

/** What most changes of most pods end at. */
function hasLimit({ spec }: Pod): boolean {
  return (
    spec?.tolerations?.some(
      ({ key, tolerationSeconds }) => tolerationSeconds !== undefined && outageTaintKeys.some((taint) => taint === key),
    ) ?? false
  );
}
