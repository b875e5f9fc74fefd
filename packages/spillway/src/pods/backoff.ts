export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Doubling, capped, jittered between half and the whole of the step, and endless. The jitter is a function of `key`
 * and attempt, so that the same history always gives the same times, while different pods spread.
 *
 * @param attempts failed attempts so far, from 1
 */
export function backoffMs(key: string, attempts: number, { baseMs, capMs }: BackoffOptions): number {
  const step = Math.min(capMs, baseMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(step / 2 + (step / 2) * unit(`${key}/${attempts}`));
}

/** FNV-1a with a final mix, as a number from 0 to 1. */
function unit(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 0xff_ff_ff_ff;
}
