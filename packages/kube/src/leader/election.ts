import type { Lease, LeaseSpec } from '../generated/index.ts';

/**
 * The rules of leader election with a Lease, as in client-go's leaderelection. Times of the others are never compared
 * with ours: what counts is when *we* saw the record change, on our own monotonic clock.
 */
export interface Candidate {
  /** Unique for each run of a process */
  readonly identity: string;
  readonly namespace: string;
  readonly name: string;
  readonly leaseDurationSeconds: number;
}

/** The lease as it was last seen. */
export interface Observation {
  /** Undefined: there is none */
  readonly lease: Lease | undefined;
  /** When its record was first seen as it is; monotonic milliseconds */
  readonly since: number;
  /** Somebody deleted it. Who held it does not know yet. */
  readonly vanished: boolean;
}

/** A record that has not changed keeps its time, whatever else somebody edited in the object. */
export function observe(before: Observation | undefined, lease: Lease | undefined, now: number): Observation {
  const same = before !== undefined && recordText(before.lease) === recordText(lease);
  const vanished = lease === undefined && before !== undefined && (before.vanished || holderOf(before) !== '');
  return { lease, since: same ? before.since : now, vanished };
}

export const holderOf = ({ lease }: Observation): string => lease?.spec?.holderIdentity ?? '';

/** How long somebody else still holds it, in milliseconds; 0: it is free, expired or ours. */
export function heldByOtherMs(seen: Observation, candidate: Candidate, now: number): number {
  const holder = holderOf(seen);
  if (seen.vanished) return Math.max(0, seen.since + candidate.leaseDurationSeconds * 1000 - now);
  if (holder === '' || holder === candidate.identity) return 0;
  const seconds = seen.lease?.spec?.leaseDurationSeconds ?? candidate.leaseDurationSeconds;
  return Math.max(0, seen.since + seconds * 1000 - now);
}

/** What to write to take or to renew it. `at` is the time of the wall clock, for people. */
export function claimed(lease: Lease | undefined, candidate: Candidate, at: Date): Lease {
  const { identity, namespace, name, leaseDurationSeconds } = candidate;
  const time = microTime(at);
  const before = lease?.spec;
  const ours = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  const spec: LeaseSpec = {
    ...before,
    holderIdentity: identity,
    leaseDurationSeconds,
    acquireTime: ours ? (before.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: lease === undefined || ours ? transitions : transitions + 1,
  };
  return withSpec(lease ?? { metadata: { namespace, name } }, spec);
}

/** What to write to give it up: others need not wait until it expires. */
export function released(lease: Lease, at: Date): Lease {
  const time = microTime(at);
  const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
  return withSpec(lease, spec);
}

const withSpec = (lease: Lease, spec: LeaseSpec): Lease => ({
  ...lease,
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  spec,
});

function recordText(lease: Lease | undefined): string {
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = lease?.spec ?? {};
  return JSON.stringify([
    lease?.metadata?.uid,
    holderIdentity,
    leaseDurationSeconds,
    acquireTime,
    renewTime,
    leaseTransitions,
  ]);
}

const microTime = (at: Date): string => at.toISOString().replace(/Z$/, '000Z');
