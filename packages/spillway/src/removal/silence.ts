import type { Heartbeat, HeartbeatReading, SilentInstance } from '../backends/survey.ts';

// Whether a virtual node has fallen silent. All times are of one clock, that of the backend, which also stamps the heartbeat.

export type Verdict =
  /** Nobody has asked for anything to be done. */
  | { readonly kind: 'no-heartbeat' }
  | { readonly kind: 'alive'; readonly silentMs: number }
  | { readonly kind: 'overdue'; readonly silentMs: number; readonly sinceMs: number };

/** That an instance was created is a sign of life, too: only who serves the node does it. */
export function verdictOf(
  { nowMs, heartbeat }: HeartbeatReading,
  instances: readonly Pick<SilentInstance, 'createdMs'>[],
): Verdict {
  if (heartbeat === undefined) return { kind: 'no-heartbeat' };
  const signs = instances.map(({ createdMs }) => createdMs).filter((ms) => Number.isFinite(ms));
  const sinceMs = signs.reduce((latest, ms) => Math.max(latest, ms), heartbeat.renewedMs);
  const silentMs = nowMs - sinceMs;
  return silentMs >= heartbeat.afterMs ? { kind: 'overdue', silentMs, sinceMs } : { kind: 'alive', silentMs };
}

/** How many renewals must fail to come before a silence is believed. */
const missedRenewals = 3;

/**
 * How long an overdue heartbeat is watched before anything is ended: a clock that was set forward, or a heartbeat from a restored
 * etcd, looks like silence too, but a virtual node that lives renews it meanwhile.
 */
export const watchMs = ({ everyMs }: Pick<Heartbeat, 'everyMs'>): number => missedRenewals * everyMs;

/** Is it still the silence that was found? Any other heartbeat, and none at all, ends it. */
export function isSameSilence(found: Pick<Heartbeat, 'beat'>, { heartbeat }: HeartbeatReading): boolean {
  return heartbeat?.beat === found.beat;
}
