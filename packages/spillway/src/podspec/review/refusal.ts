import { type RefusalCode, reviewRules } from './rules.ts';

/** Why a pod cannot run somewhere. */
export interface Refusal {
  /** Stable machine code, e.g. `host-namespace-unsupported`. */
  readonly code: RefusalCode;
  /** The field that is refused, e.g. `spec.containers[0].livenessProbe`. */
  readonly field: string;
  readonly message: string;
  /** What the user can do. */
  readonly remedy: string;
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
