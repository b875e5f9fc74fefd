import type { JsonPatchOperation, Pod } from '@spillway/kube';
import { actionPatch } from './actions.ts';
import { asPod } from './admitted.ts';
import { holds, isFor, type Subject } from './conditions.ts';
import { applyPatch } from './json-patch.ts';
import { podRules, type Rule, workloadRules } from './rules.ts';
import { adopt, keepToTypes, profileFor } from './adopt-profile.ts';
import type { ScheduleProfile } from './schedule-profile.ts';

/**
 * The TypeScript carrier of the rules: what they write, in the order of the table, each on the result of those before.
 *
 * @param profiles those of the object's namespace
 */
export function evaluate(subject: Subject, profiles: readonly ScheduleProfile[] = []): readonly JsonPatchOperation[] {
  const adoption = isFor(podRules.target, subject) ? adoptionOf(asPod(subject.object), profiles) : [];
  const rules = [podRules, ...workloadRules]
    .filter(({ target }) => isFor(target, subject))
    .flatMap((set): readonly Rule[] => set.rules);
  const patch = [...adoption];
  let object = applyPatch(subject.object, adoption);
  for (const { when, actions } of rules) {
    if (!when.every((condition) => holds(condition, { ...subject, object }))) continue;
    for (const action of actions) {
      const operations = actionPatch(action, object);
      patch.push(...operations);
      object = applyPatch(object, operations);
    }
  }
  if (isFor(podRules.target, subject)) patch.push(...keepToTypes(asPod(object), profiles));
  return patch;
}

function adoptionOf(pod: Pod, profiles: readonly ScheduleProfile[]): readonly JsonPatchOperation[] {
  const profile = profileFor(pod, profiles);
  return profile === undefined ? [] : adopt(pod, profile);
}
