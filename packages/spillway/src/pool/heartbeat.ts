import { backoffMs, errorMessage } from '@spillway/kube';
import type { Backend, EndedInSilence } from '../backends/backend.ts';
import type { HeartbeatState } from '../node/node-object.ts';

export interface HeartbeatOptions {
  readonly backend: Pick<Backend, 'renewHeartbeat' | 'endHeartbeat'>;
  /** Undefined: nothing is to be ended because of a silence. */
  readonly afterMs: number | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Resolves early, and does not reject, when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onRenewed: () => void;
  /** It is tried again by itself. */
  readonly onError: (error: unknown) => void;
  readonly onChange: (state: HeartbeatState, before: HeartbeatState) => void;
  readonly onEnded: (ended: EndedInSilence) => void;
}

/** A renewal takes two calls: together one a minute. */
const longestPauseMs = 120_000;
/** The cluster renews a lease every ten seconds, as long as it answers. */
const clusterPatienceMs = 60_000;
const lookAgainMs = 1000;

/** Tells the backend that this pool is served, and that its cluster answers. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #state: HeartbeatState = { kind: 'unknown' };
  #clusterAnsweredMs = Number.NEGATIVE_INFINITY;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Undefined: none is asked for. */
  get state(): HeartbeatState | undefined {
    return this.#options.afterMs === undefined ? undefined : this.#state;
  }

  /** A process without a cluster is no sign of life: the pods that it runs belong to nobody. */
  clusterAnswered(): void {
    this.#clusterAnsweredMs = this.#options.now();
  }

  /** Resolves when `signal` is aborted, or there is nothing (more) to do. */
  async run(signal: AbortSignal): Promise<void> {
    const { backend, afterMs } = this.#options;
    if (afterMs === undefined) {
      if (backend.endHeartbeat) await this.#end(signal);
    } else if (backend.renewHeartbeat) await this.#renew(afterMs, signal);
  }

  async #renew(afterMs: number, signal: AbortSignal): Promise<void> {
    const { backend, now, sleep, onRenewed, onError, onEnded } = this.#options;
    const everyMs = Math.min(longestPauseMs, afterMs / 10);
    let lastMs = now();
    let why = 'the API server of the cluster does not answer';
    for (let failures = 0; !signal.aborted; ) {
      let pauseMs = Math.min(lookAgainMs, everyMs);
      if (now() - this.#clusterAnsweredMs > clusterPatienceMs) {
        why = 'the API server of the cluster does not answer';
      } else {
        try {
          const ended = await backend.renewHeartbeat?.({ afterMs, everyMs }, signal);
          lastMs = now();
          failures = 0;
          onRenewed();
          this.#change({ kind: 'renewed' });
          if (ended) onEnded(ended);
          pauseMs = everyMs;
        } catch (error) {
          if (signal.aborted) return;
          failures += 1;
          why = errorMessage(error);
          onError(error);
          pauseMs = backoffMs('heartbeat', failures, { firstMs: lookAgainMs, maxMs: everyMs });
        }
      }
      if (now() - lastMs >= afterMs / 2) this.#change({ kind: 'late', message: lateMessage(afterMs, why) });
      await sleep(pauseMs, signal);
    }
  }

  async #end(signal: AbortSignal): Promise<void> {
    const { backend, sleep, onError } = this.#options;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await backend.endHeartbeat?.(signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        onError(error);
        await sleep(backoffMs('heartbeat', failures, { firstMs: lookAgainMs, maxMs: longestPauseMs }), signal);
      }
    }
  }

  #change(state: HeartbeatState): void {
    const before = this.#state;
    if (before.kind === state.kind) return;
    this.#state = state;
    this.#options.onChange(state, before);
  }
}

function lateMessage(afterMs: number, why: string): string {
  return `the heartbeat has not been renewed for more than half of deadMan.afterSeconds (${afterMs / 1000}), after which the instances are ended: ${why}`;
}
