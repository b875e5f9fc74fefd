import { asPod } from '../placement/rules/admitted.ts';
import { evaluate } from '../placement/rules/evaluate.ts';
import { applyPatch } from '../placement/rules/json-patch.ts';
import { letIn } from '../placement/rules/let-in.ts';
import type { Subject } from '../placement/rules/conditions.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { unknownValues } from '../placement/rules/unknown-value.ts';
import type { AskPools } from '../podspec/fit/fit.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';

/** What the admission policies would do, for clusters that have none, and what they cannot know: which pools run the pod. */
export function mutate(
  request: AdmissionRequest,
  profilesOf: (namespace: string) => readonly ScheduleProfile[],
  ask: AskPools,
): AdmissionResponse {
  const subject = subjectOf(request);
  if (subject === undefined) return { allowed: true };
  const [message] = unknownValues(subject);
  if (message !== undefined) return { allowed: false, message };
  const patch = evaluate(subject, profilesOf(request.namespace));
  if (subject.object.kind !== 'Pod' || subject.operation !== 'CREATE') return { allowed: true, patch };
  const pod = asPod(applyPatch(subject.object, patch));
  return { allowed: true, patch: [...patch, ...letIn(pod, ask(pod))] };
}

export function subjectOf({ operation, object, oldObject }: AdmissionRequest): Subject | undefined {
  if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return undefined;
  return { operation, object, oldObject };
}
