import { constants } from 'node:os';
import { CommandFailure } from './mistake.ts';

/**
 * Work that the first SIGINT or SIGTERM asks to stop; the second ends the process.
 *
 * @throws CommandFailure when it was asked to and did not succeed, whatever came of it: 128 and the signal's number, as a shell says it
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void =>
    stop.abort(new CommandFailure('interrupted', 128 + constants.signals[signal]));
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
