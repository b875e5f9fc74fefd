import { z } from 'zod';
import { check, mistakeText } from '../../podspec/mistakes.ts';
import type { ScheduleProfile } from './schedule-profile.ts';

const int32 = z.int32();
const location = z.looseObject({ maxNum: int32.min(0).optional(), scaleDownPriority: int32.optional() }).optional();
const schema = z.looseObject({
  spec: z.looseObject({
    objectLabels: z.looseObject({
      matchLabels: z
        .record(z.string(), z.string())
        .refine((labels) => Object.keys(labels).length > 0, 'must have a label'),
    }),
    strategy: z.enum(['auto', 'localPrefer', 'enforce']),
    virtualNodes: z.array(z.looseObject({ type: z.string() })).optional(),
    location: z.looseObject({ local: location, cci: location }).optional(),
  }),
});

/**
 * Why a profile cannot be followed; undefined: it can. The schema of our own kind refuses such profiles, but the kind may
 * have been installed by somebody else, with another schema.
 */
export function profileProblem(profile: ScheduleProfile): string | undefined {
  const checked = check<unknown>(schema, profile);
  return 'data' in checked ? undefined : mistakeText(checked.mistakes);
}
