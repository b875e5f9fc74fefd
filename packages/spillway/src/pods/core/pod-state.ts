import type { Pod, PodStatus } from '@spillway/kube';
import type { BackendErrorKind, Instance, InstanceRef, Notice, Refusal } from '../../backends/backend.ts';
import type { Sized } from '../../podspec/sizing/size-pod.ts';
import type { VolumeDigests } from '../references/volume-content.ts';

/**
 * Everything that is known about one pod UID. Plain and immutable: `transitions.ts` makes the next state from what
 * happened, `outcomes.ts` from what was done, `decide.ts` says what to do about it. Nothing else changes or judges it.
 */
export interface PodState {
  readonly ref: InstanceRef;
  readonly phase: Phase;
  /** The newest state that the cluster told; undefined for an instance without a pod. */
  readonly pod: Pod | undefined;
  /**
   * Has the pod left the cluster? `unlisted`: a complete list lacks it, which proves nothing by itself; `reported`: the watch
   * told its deletion; `confirmed` by a live read.
   */
  readonly gone: 'no' | 'unlisted' | 'reported' | 'confirmed';
  /** Nobody saw the pod come: a process before this one may have created an instance that is not seen yet. */
  readonly inherited: boolean;
  readonly firstSeenMs: number;
  /** Nothing runs for the pod; it is only shown as running, see placeholder.ts. */
  readonly placeholder: boolean;
  /** Why the pod may not run here; empty: it may. */
  readonly refusals: readonly Refusal[];
  /** Names the state of the pod that its instance should be in. */
  readonly revision: string;
  /** What it runs as; absent: as it was written. Stays what it was once the backend was asked to create. */
  readonly sized?: Sized | undefined;
  /** What it would run as if it were created now. */
  readonly sizedNow?: Sized | undefined;
  readonly observed: Observed;
  /** The newest instance that was ever seen, also when it is gone since. */
  readonly last: Instance | undefined;
  /** A container of the pod was started at some time, by whomever. */
  readonly ran: boolean;
  /** Was the backend asked to create (then something may exist whatever it answered), and did it accept? */
  readonly created: 'no' | 'asked' | 'accepted';
  /** Since when a place is waited for, if there is none; undefined: since before this process. */
  readonly waitsFromMs: number | undefined;
  /** The instance is being taken back, or was, because nobody had a place for it: how it goes says nothing of the pod. */
  readonly withdrawn: boolean;
  /** When the containers must have ended; only ever moves to an earlier time. */
  readonly graceEndsMs: number | undefined;
  /** The newest stop that the backend accepted. */
  readonly stopped: { readonly deadlineMs: number } | undefined;
  readonly removed: boolean;
  /** Since when the cluster says that the pod has ended. */
  readonly endedMs: number | undefined;
  /** When the API server accepted the final delete. */
  readonly deletedMs: number | undefined;
  /** The newest status that the API server calls invalid, and how often it did so to one that tells the same end. */
  readonly refusedStatus: { readonly status: PodStatus; readonly times: number } | undefined;
  readonly verdict: Verdict | undefined;
  /** What the instance was given; undefined: not known, by an earlier process. */
  readonly content: Content | undefined;
  /** Something that the pod refers to has changed since it was last read. */
  readonly outdated: boolean;
  readonly failures: Readonly<Partial<Record<Operation['kind'], Failure>>>;
  readonly inFlight: Operation | undefined;
  /** When the newest answer to an operation came; undefined: none has. What is listed from then on is no older. */
  readonly answeredMs: number | undefined;
  /** Events to be recorded; the actor takes them out. */
  readonly outbox: readonly Notice[];
}

/**
 * The kubelet's model; a pod never goes back. `syncing`: it should run. `terminating`: it should end. `terminated`:
 * nothing runs and nothing will be started again.
 */
export type Phase = 'syncing' | 'terminating' | 'terminated';

export type Observed =
  /** No complete listing since the process started. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'present'; readonly instance: Instance }
  /**
   * There should be an instance, but it is not seen (yet, or any more): since `sinceMs`, or, of the complete listings that lack it,
   * since the newest one began. `toldGone`: the backend's watch said so.
   */
  | {
      readonly kind: 'doubtful';
      readonly sinceMs: number;
      readonly listings: number;
      readonly toldGone?: boolean;
    }
  | { readonly kind: 'absent' };

export interface Content {
  /** Of the pod. */
  readonly revision: string;
  /** What of the pod's changes the instance does not get. */
  readonly refused: readonly Refusal[];
  readonly digests: VolumeDigests;
  /** Digest of the pull Secrets; absent: not known, or they do not follow. */
  readonly pullSecrets?: string;
  /** When it was read in the cluster. */
  readonly readMs: number;
  /** When the first of its tokens is to be renewed; Infinity: never. */
  readonly renewAtMs: number;
}

/** An end that the containers did not bring about themselves. */
export interface Verdict {
  readonly reason: 'InstanceLost' | 'DeadlineExceeded';
  readonly message: string;
}

export type Operation =
  /** Fetch what the pod refers to, resolve, create. `again`: the backend was asked before. */
  | { readonly kind: 'create'; readonly again: boolean }
  /** Read again what the instance is made of, and give the backend what differs from what it has. */
  | { readonly kind: 'update' }
  /** Take back what nobody has a place for. */
  | { readonly kind: 'withdraw' }
  | { readonly kind: 'stop'; readonly graceSeconds: number; readonly deadlineMs: number }
  | { readonly kind: 'remove' }
  /** Live read: is there really no pod with this UID any more? */
  | { readonly kind: 'confirmGone' }
  /** Delete the API object for good: grace 0, with the UID as precondition. */
  | { readonly kind: 'deletePod' };

export type Outcome =
  /** `content`: of a create, or of an update as far as that came. */
  | { readonly ok: true; readonly content?: Content }
  | { readonly ok: false; readonly problem: Problem; readonly content?: Content };

/** Why an operation did not succeed. */
export interface Problem {
  readonly kind:
    | BackendErrorKind
    /** Something that the pod refers to is not there (yet). */
    | 'missingReference'
    /** The backend lacks what instances need, and is not asked until it has that. */
    | 'unprepared'
    /** The API server did not do it. */
    | 'api'
    /** `confirmGone`: the pod is there after all. */
    | 'stillThere';
  readonly message: string;
  readonly remedy?: string | undefined;
  /** For the containers' waiting state; default: the kind's own. */
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  /** Default: one made from reason and message. */
  readonly notices?: readonly Notice[];
}

export interface Failure {
  readonly problem: Problem;
  readonly attempts: number;
  /** Infinity: not before the pod changes. */
  readonly retryAtMs: number;
  readonly generation: number;
}
