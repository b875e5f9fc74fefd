import type { Pod } from '@spillway/kube';

/** What decides about a pod's containers, taken from its spec. */
export interface PodPlan {
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  /** Names, in order. */
  readonly initContainers: readonly string[];
  readonly containers: readonly string[];
  readonly graceSeconds: number;
  readonly activeDeadlineSeconds?: number;
}

const defaultGraceSeconds = 30;

export function planOf({ spec }: Pod): PodPlan {
  const {
    restartPolicy,
    initContainers = [],
    containers = [],
    terminationGracePeriodSeconds,
    activeDeadlineSeconds,
  } = spec ?? {};
  return {
    restartPolicy: restartPolicy === 'OnFailure' || restartPolicy === 'Never' ? restartPolicy : 'Always',
    initContainers: initContainers.map(({ name }) => name),
    containers: containers.map(({ name }) => name),
    graceSeconds: terminationGracePeriodSeconds ?? defaultGraceSeconds,
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
  };
}

/** What only we know of an instance; kept on disk, so that a restarted Spillway still knows. Times in milliseconds. */
export interface Intent {
  readonly acceptedAt: number;
  /** Addresses of the latest sandbox: the runtime forgets them when it ends. */
  readonly podIPs: readonly string[];
  /** Nothing is started any more, and what runs gets until then. */
  readonly stopBy?: number;
  /** Why the instance ends, other than because somebody asked. */
  readonly outcome?: { readonly reason: string; readonly message: string };
  /** Set once `remove` was called: what remains is cleaned away, never started. */
  readonly removing?: true;
}

/** A step that did not work and when to try again. */
export interface Failure {
  readonly at: number;
  readonly retryAt: number;
  /** For `state.waiting`. */
  readonly reason: string;
  readonly message: string;
  /** What the reason becomes while we wait, with its event; absent: it stays. */
  readonly backoff?: WaitingBackoff;
}

export interface WaitingBackoff {
  readonly reason: string;
  readonly message: string;
  /** The event that says it. */
  readonly event: string;
}

/** For a moment the failure itself is shown, then that we are waiting. */
export const showFailureMs = 2000;

export function isWaiting({ at }: Failure, now: number): boolean {
  return now >= at + showFailureMs;
}
