import { createInterface } from 'node:readline/promises';
import { CommandFailure, exitCodes, UsageError } from './mistake.ts';

/**
 * Asks on the terminal, and resolves when it is to be done.
 *
 * @param question `Remove this?` @param doing `remove this`
 * @throws UsageError without a terminal; CommandFailure when it is not to be done
 */
export async function confirm(question: string, doing: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(`Nothing was changed. Add --yes to ${doing}`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort(new CommandFailure('Nothing was changed', 130)));
  const answer = await asking
    .question(`${question} Only "yes" does it: `, gone)
    .catch((error: unknown) => {
      gone.signal.throwIfAborted();
      throw error;
    })
    .finally(() => asking.close());
  if (answer.trim() !== 'yes') throw new CommandFailure('Nothing was changed', exitCodes.failure);
}
