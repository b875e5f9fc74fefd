import type { ConfigMap, ObjectMeta } from '@spillway/kube';
import type { EndedInSilence, HeartbeatTerms, Owner } from '../../backend.ts';
import type { Heartbeat } from '../../survey.ts';
import { deadManMarks } from '../pods/marks.ts';
import { deadManName } from '../pods/names.ts';

// The heartbeat is a ConfigMap, which every kind of cluster has. It says all that whoever looks at it has to know.

export interface Renewal extends HeartbeatTerms {
  readonly nowMs: number;
  readonly beat: string;
  /** Is there a job of ours in the namespace that looks at it? */
  readonly hasJob: boolean;
}

export function heartbeatMetadata(owner: Owner, namespace: string): ObjectMeta {
  const { labels, annotations } = deadManMarks(owner);
  return { namespace, name: deadManName(owner), labels: { ...labels }, annotations: { ...annotations } };
}

export function heartbeatData({ nowMs, beat, afterMs, everyMs, hasJob }: Renewal): Record<string, string> {
  return {
    renewedAt: new Date(nowMs).toISOString(),
    beat,
    afterSeconds: String(afterMs / 1000),
    everySeconds: String(everyMs / 1000),
    job: String(hasJob),
  };
}

/** Undefined: it does not say when it was renewed, how often it is, or after how long a silence something is to happen. */
export function readHeartbeat({ data = {} }: ConfigMap): Heartbeat | undefined {
  const { renewedAt = '', beat = '', afterSeconds, everySeconds } = data;
  const renewedMs = Date.parse(renewedAt);
  const afterMs = Number(afterSeconds) * 1000;
  const everyMs = Number(everySeconds) * 1000;
  const isWhole = Number.isFinite(renewedMs) && afterMs > 0 && everyMs > 0 && beat !== '';
  return isWhole ? { renewedMs, afterMs, everyMs, beat } : undefined;
}

export const hadJob = ({ data = {} }: ConfigMap): boolean => data['job'] === 'true';

export function noteOf({ at, silentSince, instances }: EndedInSilence): Record<string, string> {
  return { endedAt: at, silentSince, endedInstances: String(instances) };
}

/** For a merge patch. */
export const nothingNoted = { endedAt: null, silentSince: null, endedInstances: null } as const;

/** Undefined: nothing was noted. */
export function readNote({ data = {} }: ConfigMap): EndedInSilence | undefined {
  const { endedAt: at, silentSince = '', endedInstances } = data;
  return at === undefined ? undefined : { at, silentSince, instances: Number(endedInstances) || 0 };
}
