import { RegionError } from '../errors.ts';
import type { Reading } from '../meter/bills.ts';
import { statusOfRegion } from './detached.ts';

/** What the meter of the region that runs on its own says; undefined when none runs. */
export async function meterOfRegion(): Promise<Reading | undefined> {
  const region = await statusOfRegion();
  if (region === undefined) return undefined;
  const { endpoint, token } = region.admin;
  const response = await fetch(`${endpoint}/meter`, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new RegionError(`the meter of the region does not answer: HTTP ${response.status}`);
  // The other end is of the same version, and writes exactly this.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (await response.json()) as Reading;
}
