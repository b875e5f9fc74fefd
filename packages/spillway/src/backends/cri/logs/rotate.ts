import { rename, rm, stat } from 'node:fs/promises';
import { logFiles, rotatedName } from './log-files.ts';

export interface RotationLimits {
  readonly maxBytes: number;
  /** The current file included. */
  readonly maxFiles: number;
}

/** Moves a log file that has grown too large aside, makes the runtime open a new one, and deletes the oldest. */
export async function rotateLog(
  current: string,
  { maxBytes, maxFiles }: RotationLimits,
  now: Date,
  reopen: () => Promise<unknown>,
): Promise<void> {
  const size = await stat(current).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= maxBytes) return;
  const aside = rotatedName(current, now);
  await rename(current, aside);
  try {
    await reopen();
  } catch (error) {
    // The runtime still writes to the old file: it must stay the current one.
    await rename(aside, current);
    throw error;
  }
  const rotated = (await logFiles(current)).filter((path) => path !== current);
  await Promise.all(
    rotated.slice(0, Math.max(rotated.length - maxFiles + 1, 0)).map((path) => rm(path, { force: true })),
  );
}
