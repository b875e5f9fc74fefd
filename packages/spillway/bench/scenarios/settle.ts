import { setTimeout as sleep } from 'node:timers/promises';
import { apiCallsOf, callsBetween } from '../observe/api-calls.ts';
import type { Turn } from './scenario.ts';

const quietMs = 30_000;
const patienceMs = 600_000;

/** Resolves when nobody has written about pods or told events for half a minute: what a burst has left to be told is told. */
export async function settle({ cluster, signal }: Pick<Turn, 'cluster' | 'signal'>): Promise<void> {
  const ends = performance.now() + patienceMs;
  let before = await apiCallsOf(cluster);
  for (;;) {
    await sleep(quietMs, undefined, { signal });
    const after = await apiCallsOf(cluster);
    const writes = Object.entries(callsBetween(before, after)).filter(([call]) => !/^(?:GET|LIST) /.test(call));
    if (writes.length === 0) return;
    if (performance.now() > ends) {
      const still = writes.map(([call, count]) => `${count} ${call}`).join(', ');
      throw new Error(`still busy ${patienceMs / 60_000} minutes after the burst: ${still} in ${quietMs / 1000} s`);
    }
    before = after;
  }
}
