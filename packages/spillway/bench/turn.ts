import { errorMessage } from '@spillway/kube';
import type { Measurement, Run, Turn } from './results.ts';

/** What went wrong in a turn is the contestant's failure and part of the results; only an interruption ends the run. */
export async function takeTurn(turn: Turn, signal: AbortSignal, work: () => Promise<Measurement>): Promise<Run> {
  try {
    return { ...turn, measurement: await work() };
  } catch (error) {
    signal.throwIfAborted();
    return { ...turn, failure: errorMessage(error) };
  }
}
