import { createInterface } from 'node:readline/promises';
import { CommandFailure, exitCodes, UsageError } from './mistake.ts';

/** @param verb what is done then: `remove` @throws UsageError, CommandFailure when it is not to be done */
export async function confirm(verb: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(`Nothing was changed. Add --yes to ${verb} this`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  asking.once('SIGINT', () => gone.abort(new CommandFailure('Nothing was changed', 130)));
  const answer = await asking
    .question(`${verb.charAt(0).toUpperCase()}${verb.slice(1)} this? Only "yes" does it: `, gone)
    .catch((error: unknown) => {
      gone.signal.throwIfAborted();
      throw error;
    })
    .finally(() => asking.close());
  if (answer.trim() !== 'yes') throw new CommandFailure('Nothing was changed', exitCodes.failure);
}
