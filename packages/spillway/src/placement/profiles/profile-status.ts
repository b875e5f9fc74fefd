import { counted } from '../../podspec/words.ts';
import type { Condition } from '@spillway/kube';
import { isLimited, type ScheduleProfile, type ScheduleProfileStatus } from '../rules/schedule-profile.ts';
import type { Counts } from './quota-book.ts';

/**
 * What the profile's status should say; undefined: it says so already.
 *
 * @param winners names of other profiles that count for pods which this one matches as well
 * @param now RFC 3339, for conditions that change
 */
export function nextStatus(
  profile: ScheduleProfile,
  counts: Counts,
  winners: readonly string[],
  now: string,
): ScheduleProfileStatus | undefined {
  const { status: before, metadata } = profile;
  const generation = metadata?.generation ?? 0;
  const conditions = conditionsOf(profile, counts, winners).map((wanted): Condition => {
    const old = before?.conditions?.find(({ type }) => type === wanted.type);
    const lastTransitionTime = old?.status === wanted.status ? old.lastTransitionTime : now;
    return { ...wanted, lastTransitionTime, observedGeneration: generation };
  });
  const status: ScheduleProfileStatus = {
    observedGeneration: generation,
    local: { pods: counts.local },
    cci: { pods: counts.cci },
    waiting: { pods: counts.waiting },
    uncounted: { pods: counts.uncounted },
    conditions,
  };
  return isSame(before, status) ? undefined : status;
}

function conditionsOf(
  profile: ScheduleProfile,
  { waiting, uncounted }: Counts,
  winners: readonly string[],
): readonly Omit<Condition, 'lastTransitionTime'>[] {
  return [
    condition('LimitsKept', uncounted === 0, {
      true: isLimited(profile)
        ? ['Counted', 'every pod is counted']
        : ['NoLimits', 'the profile has no maxNum, so its pods are not counted'],
      false: [
        'AdmissionBypassed',
        `${counted(uncounted, 'pod')} without the profile's scheduling gate, because admission was bypassed or the profile is younger: not counted in the limits until created again`,
      ],
    }),
    condition('PodsWaiting', waiting > 0, {
      true: ['SidesFull', `${counted(waiting, 'pod')} waiting for a place: raise maxNum, or scale down`],
      false: ['NoneWaits', 'no pod waits for a place'],
    }),
    condition('Overridden', winners.length > 0, {
      true: [
        'OtherProfileWins',
        winners.length === 1
          ? `profile "${winners[0]}" applies to pods that both match`
          : `profiles ${winners.map((name) => `"${name}"`).join(', ')} apply to pods that this one matches as well`,
      ],
      false: ['NoConflict', 'no other profile matches the same pods'],
    }),
  ];
}

type Saying = readonly [reason: string, message: string];

function condition(
  type: string,
  holds: boolean,
  says: { readonly true: Saying; readonly false: Saying },
): Omit<Condition, 'lastTransitionTime'> {
  const [reason, message] = says[holds ? 'true' : 'false'];
  return { type, status: holds ? 'True' : 'False', reason, message };
}

/** Fields that the cluster's version of the kind does not know are no difference. */
function isSame(before: ScheduleProfileStatus | undefined, after: ScheduleProfileStatus): boolean {
  if (before === undefined) return false;
  const known = Object.fromEntries(Object.entries(after).filter(([key]) => key in before));
  return (
    before.conditions?.length === after.conditions?.length &&
    JSON.stringify(known, sortedKeys) === JSON.stringify(before, sortedKeys)
  );
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
