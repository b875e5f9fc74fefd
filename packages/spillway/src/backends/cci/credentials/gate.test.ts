import { fc, test as generated } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { type Gate, isProbeDue, opened, probed, refused, untried } from './gate.ts';

const minute = 60_000;

function paused(gate: Gate): Gate & { kind: 'paused' } {
  if (gate.kind !== 'paused') throw new Error('it is open');
  return gate;
}

describe('one refusal', () => {
  test('pauses all calls, and a probe follows at once', () => {
    const gate = refused(opened(1), 1, 1_000);
    expect(gate).toEqual({ kind: 'paused', generation: 1, failures: 1, probeAt: 1_000 });
    expect(isProbeDue(gate, 1_000)).toBe(true);
    expect(probed(paused(gate), 'accepted', 1_500)).toEqual(opened(2));
  });

  test('of what was replaced in the meantime changes nothing', () => {
    expect(refused(opened(2), 1, 0)).toEqual(opened(2));
    const gate = untried(2, 0);
    expect(refused(gate, 1, 0)).toBe(gate);
  });
});

describe('a credential that stays refused', () => {
  test('is probed after a minute, later only when a lock has ended', () => {
    let gate = paused(refused(opened(1), 1, 0));
    const waits: number[] = [];
    for (let now = 0; waits.length < 5; now = gate.probeAt) {
      gate = paused(probed(gate, 'refused', now));
      waits.push((gate.probeAt - now) / minute);
    }
    expect(waits).toEqual([1, 1, 5.5, 5.5, 5.5]);
  });

  test('is not probed sooner because many calls were under way: their refusals count', () => {
    let gate = refused(opened(1), 1, 0);
    for (let i = 0; i < 32; i++) gate = refused(gate, 1, 2_000);
    expect(isProbeDue(gate, 5 * minute)).toBe(false);
    expect(isProbeDue(gate, 6 * minute)).toBe(true);
  });
});

test('a credential that nobody has tried is probed at once, before any call', () => {
  const gate = untried(2, 10);
  expect(gate).toEqual({ kind: 'paused', generation: 2, failures: 0, probeAt: 10 });
  expect(isProbeDue(gate, 10)).toBe(true);
  expect(probed(gate, 'refused', 10)).toEqual({ ...gate, failures: 1, probeAt: 60_010 });
});

test('a gateway that cannot be reached says nothing about the credential', () => {
  const gate = paused(refused(opened(1), 1, 0));
  expect(probed(gate, 'unreachable', 0)).toEqual({ ...gate, probeAt: 10_000 });
});

type Step = { readonly waitMs: number; readonly verdict: 'refused' | 'unreachable' };
const steps = fc.array(
  fc.record({ waitMs: fc.nat(7 * minute), verdict: fc.constantFrom('refused' as const, 'unreachable' as const) }),
  { maxLength: 60 },
);

generated.prop([steps])(
  'a key is never refused more than five times within the five minutes of a lock',
  (history: Step[]) => {
    let now = 0;
    let gate = refused(opened(1), 1, now);
    const refusals = [now];
    for (const { waitMs, verdict } of history) {
      now += waitMs;
      if (!isProbeDue(gate, now)) continue;
      gate = probed(gate, verdict, now);
      if (verdict === 'refused') refusals.push(now);
    }
    for (const from of refusals) {
      expect(refusals.filter((at) => at >= from && at < from + 5 * minute).length).toBeLessThanOrEqual(5);
    }
  },
);
