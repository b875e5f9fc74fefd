import { type Clock, type Pod, uidOf, WorkQueue } from '@spillway/kube';
import { profileCounterAnnotation } from '../../podspec/contract.ts';
import { retryBackoff } from '../retry-backoff.ts';

export interface SettlingOptions {
  /** Of this process, and of no other one. */
  readonly identity: string;
  readonly onSettled: () => void;
}

/** No request of a process that was replaced arrives later than this. */
const longestWayMs = 60_000;

/**
 * Where the pods are that the process before this one may have given a place: its last writes can still be on their way. So
 * each pod that was gated at the beginning gets a mark, after which those do not fit its version any more; when all marks are
 * seen nothing unknown can happen, and places may be given.
 */
export class Settling {
  /** UIDs of pods that have to get the mark. */
  readonly queue: WorkQueue<string> = new WorkQueue<string>({ rateLimiter: retryBackoff() });
  readonly #options: SettlingOptions;
  readonly #unmarked = new Set<string>();
  #begun = false;
  #isSettled = false;

  constructor(options: SettlingOptions) {
    this.#options = options;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  begin(gated: readonly Pod[]): void {
    this.#begun = true;
    for (const pod of gated) {
      this.#unmarked.add(uidOf(pod));
      this.queue.add(uidOf(pod));
    }
    this.#check();
  }

  mark(pod: Pod): object {
    return { metadata: { uid: uidOf(pod), annotations: { [profileCounterAnnotation]: this.#options.identity } } };
  }

  podSeen(pod: Pod, isGated: boolean): void {
    const isMarked = pod.metadata?.annotations?.[profileCounterAnnotation] === this.#options.identity;
    if (isMarked || !isGated) this.podGone(pod);
  }

  podGone(pod: Pod): void {
    if (this.#unmarked.delete(uidOf(pod))) this.#check();
  }

  /** One pod that cannot be marked keeps the others waiting for no longer than a request may take. */
  async giveUpLater(clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<void> {
    if (this.#isSettled) return;
    await clock.sleep(longestWayMs, signal);
    if (signal.aborted) return;
    this.#unmarked.clear();
    this.#check();
  }

  #check(): void {
    if (this.#isSettled || !this.#begun || this.#unmarked.size > 0) return;
    this.#isSettled = true;
    this.#options.onSettled();
  }
}
