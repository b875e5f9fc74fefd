import type { Pod } from '@spillway/kube';
import type { ClaimState } from '../claims.ts';
import type { Refusal } from '../review/refusal.ts';
import type { RefusalCode } from '../review/rules.ts';
import { type FieldTable, passed } from './fields.ts';

/** What a backend does with pods. Plain data and pure functions, so that it can be asked without the backend. */
export interface Support {
  /** The virtual node shows it to those who ask without the configuration, e.g. `cci-v1`. */
  readonly name: string;
  /** What becomes of each field of a pod's spec. */
  readonly fields: FieldTable;
  /** What the table cannot say, because it depends on several fields. */
  readonly alsoRefused: (pod: Pod) => readonly Refusal[];
  /** The only claims that can be mounted there, as `NAMESPACE/NAME`. Absent: the storage of a claim decides. */
  readonly claims?: ReadonlySet<string>;
  /**
   * Why a claim cannot be mounted there. Absent: each can.
   *
   * @param state undefined: nothing is known of it but its name
   */
  readonly claimObjection?: (
    claim: { readonly namespace: string; readonly name: string },
    state: ClaimState | undefined,
  ) => ClaimObjection | undefined;
  /** Annotations that mean something there, and go with a pod. Absent: those of its users go. */
  readonly annotations?: ReadonlySet<string>;
  /** Bytes that each pod has on a disk of its own, for which it asks nobody. Absent: what pods request is passed on. */
  readonly diskBytes?: bigint;
  /** Do pods get the token that Kubernetes mounts into each of them? */
  readonly accessToken: boolean;
  /** Containers that run in each pod besides its own, without requests. Default: none */
  readonly addedContainers?: number;
}

export interface ClaimObjection {
  readonly code: RefusalCode;
  /** Without a full stop */
  readonly detail: string;
}

/** How pods reach the Services of their cluster. */
export type Interconnect = 'off' | 'agent' | 'route';

/** What of pods is otherwise where they reach the Services of their cluster: by an agent in each pod, or because these are routed. */
export function connectedSupport(support: Support, interconnect: Interconnect): Support {
  if (interconnect === 'off') return support;
  return {
    ...support,
    name: `${support.name}+${interconnect}`,
    accessToken: true,
    ...(interconnect === 'agent' && { addedContainers: 1 }),
  };
}

/** Of a backend that is not known here: nothing is said against a pod. */
export const unknownSupport: Support = {
  name: 'unknown',
  fields: { '*': passed },
  alsoRefused: () => [],
  accessToken: true,
};
