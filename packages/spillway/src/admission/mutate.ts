import { evaluate } from '../placement/rules/evaluate.ts';
import type { Subject } from '../placement/rules/conditions.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { unknownValues } from '../placement/rules/unknown-value.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';

/** What the admission policies would do, for clusters that have none. */
export function mutate(
  request: AdmissionRequest,
  profilesOf: (namespace: string) => readonly ScheduleProfile[],
): AdmissionResponse {
  const subject = subjectOf(request);
  if (subject === undefined) return { allowed: true };
  const [message] = unknownValues(subject);
  if (message !== undefined) return { allowed: false, message };
  return { allowed: true, patch: evaluate(subject, profilesOf(request.namespace)) };
}

export function subjectOf({ operation, object, oldObject }: AdmissionRequest): Subject | undefined {
  if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
  return { operation, object, oldObject };
}
