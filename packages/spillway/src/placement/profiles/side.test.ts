import { describe, expect, it } from 'vitest';
import type { ScheduleProfileSpec } from '../rules/schedule-profile.ts';
import { testPod } from '../testing/objects.ts';
import { deletionCostToWrite, mayLeave, nextSide, type Side } from './side.ts';

const anywhere = (): boolean => true;
const nowhere = (): boolean => false;

describe('the next pod of a profile', () => {
  const location = { local: { maxNum: 2 }, cci: { maxNum: 1 } };

  it.each(['auto', 'localPrefer'] as const)(
    'goes to the local side first, then to the other, then waits: %s',
    (strategy) => {
      expect(nextSide(strategy, location, { local: 1, cci: 0 }, anywhere)).toBe('local');
      expect(nextSide(strategy, location, { local: 2, cci: 0 }, anywhere)).toBe('cci');
      expect(nextSide(strategy, location, { local: 2, cci: 1 }, anywhere)).toBeUndefined();
    },
  );

  it('never goes to the local side with enforce, nor to the other with off', () => {
    expect(nextSide('enforce', location, { local: 0, cci: 0 }, anywhere)).toBe('cci');
    expect(nextSide('enforce', location, { local: 0, cci: 1 }, anywhere)).toBeUndefined();
    expect(nextSide('off', location, { local: 2, cci: 0 }, anywhere)).toBeUndefined();
  });

  it('that no pool runs waits for a local place, unless it must burst', () => {
    for (const strategy of ['auto', 'localPrefer'] as const) {
      expect(nextSide(strategy, location, { local: 1, cci: 0 }, nowhere)).toBe('local');
      expect(nextSide(strategy, location, { local: 2, cci: 0 }, nowhere)).toBeUndefined();
    }
    expect(nextSide('enforce', location, { local: 0, cci: 0 }, nowhere)).toBe('cci');
  });

  it('finds room without end where there is no limit', () => {
    expect(nextSide('localPrefer', { local: { maxNum: 0 } }, { local: 0, cci: 1_000_000 }, anywhere)).toBe('cci');
    expect(nextSide('auto', undefined, { local: 9, cci: 9 }, anywhere)).toBe('local');
  });
});

const costOn = (side: Side, location: ScheduleProfileSpec['location']): string | undefined =>
  deletionCostToWrite(testPod(), side, location);

describe('the deletion cost', () => {
  it('is the lower, the higher the scale-down priority', () => {
    const location = { local: { scaleDownPriority: 10 }, cci: { scaleDownPriority: 100 } };
    expect(costOn('local', location)).toBe('-10');
    expect(costOn('cci', location)).toBe('-100');
    expect(costOn('cci', { cci: { scaleDownPriority: 0 } })).toBe('0');
  });

  it('lets burst pods go first where nobody says otherwise', () => {
    expect(costOn('cci', undefined)).toBe('-100');
    expect(costOn('local', {})).toBeUndefined();
  });
});

describe('a pod with a local place', () => {
  it('may burst when real nodes have no room, if the other side has no limit', () => {
    expect(mayLeave('localPrefer', { local: { maxNum: 5 } })).toBe(true);
    expect(mayLeave('auto', { local: { maxNum: 5 }, cci: {} })).toBe(true);
    expect(mayLeave('localPrefer', { local: { maxNum: 5 }, cci: { maxNum: 5 } })).toBe(false);
    expect(mayLeave('off', { local: { maxNum: 5 } })).toBe(false);
  });
});
