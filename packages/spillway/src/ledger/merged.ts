import { type Interval, keyOf } from './interval.ts';

/**
 * The ledgers of several pools, and of replicas that took turns in serving one: who handed a pool over has not seen the end of
 * what ran, who took it over may not have seen the beginning.
 */
export function merged(ledgers: readonly (readonly Interval[])[]): Interval[] {
  const all = new Map<string, Interval>();
  for (const interval of ledgers.flat()) {
    const key = keyOf(interval);
    const other = all.get(key);
    all.set(key, other === undefined ? interval : both(other, interval));
  }
  return [...all.values()];
}

function both(a: Interval, b: Interval): Interval {
  const start = a.start < b.start ? a.start : b.start;
  const later = (a.end ?? '') > (b.end ?? '') ? a : b;
  return { ...later, start };
}
