import { describe, expect, it } from 'vitest';
import { MassAbsence } from './mass-absence.ts';

const ledger = (): MassAbsence => new MassAbsence({ graceMs: 0, suspicionMs: 1000 });

describe('a listing that lacks instances', () => {
  it('is believed when they are few, or not more than the allowed part', () => {
    expect(ledger().observe({ startedMs: 0, missing: 3, seen: 3 })).toBeUndefined();
    expect(ledger().observe({ startedMs: 0, missing: 5, seen: 10 })).toBeUndefined();
  });

  it('is not believed when it lacks most of them, until that has been so for a while', () => {
    const absence = ledger();
    const heldBack = { candidates: 6, total: 10, untilMs: 1000 };
    expect(absence.observe({ startedMs: 0, missing: 6, seen: 10 })).toEqual(heldBack);
    expect(absence.observe({ startedMs: 999, missing: 6, seen: 10 })).toEqual(heldBack);
    expect(absence.observe({ startedMs: 1000, missing: 6, seen: 10 })).toBeUndefined();
  });

  it('is suspected anew when they were back in between', () => {
    const absence = ledger();
    absence.observe({ startedMs: 0, missing: 10, seen: 10 });
    absence.observe({ startedMs: 500, missing: 0, seen: 10 });
    expect(absence.observe({ startedMs: 1000, missing: 10, seen: 10 })?.untilMs).toBe(2000);
  });
});
