import { describe, expect, it } from 'vitest';
import { testProfile } from '../testing/profiles.ts';
import { nextStatus } from './profile-status.ts';

const counts = { local: 5, cci: 7, waiting: 0, uncounted: 0 };
const limited = testProfile('web', { location: { local: { maxNum: 5 } } });
const first = '2026-01-01T00:00:00Z';
const later = '2026-01-02T00:00:00Z';

describe('the status of a profile', () => {
  const status = nextStatus(limited, counts, [], first) ?? {};

  it('says how many pods are on each side', () => {
    expect(status).toMatchObject({ observedGeneration: 1, local: { pods: 5 }, cci: { pods: 7 } });
  });

  it('is not written when it says so already, also where the cluster does not know all its fields', () => {
    expect(nextStatus({ ...limited, status }, counts, [], later)).toBeUndefined();
    const { waiting: _, uncounted: __, ...known } = status;
    expect(nextStatus({ ...limited, status: known }, counts, [], later)).toBeUndefined();
  });

  it('changes the time of a condition only when that changes', () => {
    const next = nextStatus({ ...limited, status }, { ...counts, waiting: 2 }, [], later);
    const times = Object.fromEntries((next?.conditions ?? []).map((each) => [each.type, each.lastTransitionTime]));
    expect(times).toEqual({ LimitsKept: first, PodsWaiting: later, Overridden: first });
  });

  it.each([
    [['exact'], 'profile "exact" applies to pods that both match'],
    [['exact', 'older'], 'profiles "exact", "older" apply to pods that this one matches as well'],
  ])('names the profiles that count in its stead', (winners, message) => {
    const next = nextStatus(limited, counts, winners, first);
    expect(next?.conditions?.find(({ type }) => type === 'Overridden')).toMatchObject({ status: 'True', message });
  });
});
