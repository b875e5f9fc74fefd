import { type RefusalCode, reviewRules } from './rules.ts';

/** Why a pool does not take a pod, and what people can do about it. */
export interface Reason {
  /** Stable and for machines, e.g. `host-namespace-unsupported` or `room`. */
  readonly code: string;
  /** The field that it is about, e.g. `spec.containers[0].livenessProbe`. */
  readonly field: string;
  /** Name of the container whose field it is. */
  readonly container?: string;
  /** Without a full stop. */
  readonly message: string;
  /** What the user can do: whole sentences. */
  readonly remedy: string;
}

/** A reason whose code is that of its kind. */
export type Problem = Omit<Reason, 'code'>;

/** A reason that only a change of the pod can mend. */
export interface Refusal extends Reason {
  readonly code: RefusalCode;
  /** Where the code is explained, below `docs/`. */
  readonly documentation: string;
}

/** @param detail what is special about this pod, e.g. the amount that is too large */
export function refusal(code: RefusalCode, field: string, detail?: string): Refusal {
  const { message, remedy } = reviewRules[code];
  return {
    code,
    field,
    message: detail === undefined ? message : `${message}: ${detail}`,
    remedy,
    documentation: `not-burstable.md#${code}`,
  };
}
