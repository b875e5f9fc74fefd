import { describe, expect, it } from 'vitest';
import { deletionCostOn, nextSide } from './side.ts';

describe('the next pod of a profile', () => {
  const location = { local: { maxNum: 2 }, cci: { maxNum: 1 } };

  it.each(['auto', 'localPrefer'] as const)(
    'goes to the local side first, then to the other, then waits: %s',
    (strategy) => {
      expect(nextSide(strategy, location, { local: 1, cci: 0 })).toBe('local');
      expect(nextSide(strategy, location, { local: 2, cci: 0 })).toBe('cci');
      expect(nextSide(strategy, location, { local: 2, cci: 1 })).toBeUndefined();
    },
  );

  it('never goes to the local side with enforce, nor to the other with off', () => {
    expect(nextSide('enforce', location, { local: 0, cci: 0 })).toBe('cci');
    expect(nextSide('enforce', location, { local: 0, cci: 1 })).toBeUndefined();
    expect(nextSide('off', location, { local: 2, cci: 0 })).toBeUndefined();
  });

  it('finds room without end where there is no limit', () => {
    expect(nextSide('localPrefer', { local: { maxNum: 0 } }, { local: 0, cci: 1_000_000 })).toBe('cci');
    expect(nextSide('auto', undefined, { local: 9, cci: 9 })).toBe('local');
  });
});

describe('the deletion cost', () => {
  it('is the lower, the higher the scale-down priority', () => {
    const location = { local: { scaleDownPriority: 10 }, cci: { scaleDownPriority: 100 } };
    expect(deletionCostOn('local', location)).toBe(-10);
    expect(deletionCostOn('cci', location)).toBe(-100);
    expect(Object.is(deletionCostOn('cci', { cci: { scaleDownPriority: 0 } }), 0)).toBe(true);
  });

  it('lets burst pods go first where nobody says otherwise', () => {
    expect(deletionCostOn('cci', undefined)).toBe(-100);
    expect(deletionCostOn('local', {})).toBeUndefined();
  });
});
