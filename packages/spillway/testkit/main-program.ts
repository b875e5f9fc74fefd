import { DevClusterError } from '@spillway/devcluster';
import { exitCodes, UsageError } from '../src/cli/mistake.ts';

export interface MainProgram<Options> {
  /** Completes "the … failed". */
  readonly name: string;
  readonly usage: string;
  /** @throws UsageError */
  readonly parseOptions: (args: readonly string[]) => Options;
  /** Removes what it made when the signal aborts, too. */
  readonly run: (options: Options, signal: AbortSignal) => Promise<void>;
}

const began = performance.now();

/** Tells people how far it is, with the time since the process began; not part of the output. */
export function say(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`[${seconds} s] ${text}\n`);
}

/**
 * Runs this process, which works on clusters: with its own words as options, interrupted by SIGINT and SIGTERM. Exit codes: 2
 * for options that are wrong, 130 when it was interrupted, 1 when it failed.
 */
export async function runMain<Options>({ name, usage, parseOptions, run }: MainProgram<Options>): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted.signal.aborted) return;
      say(`Stopping: everything that the ${name} made is removed.`);
      interrupted.abort(new Error(`interrupted by ${signal}`));
    });
  }
  try {
    if (process.argv.includes('--help')) process.stdout.write(usage);
    else await run(parseOptions(process.argv.slice(2)), interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) process.exitCode = 130;
    else if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${usage}`);
      process.exitCode = exitCodes.mistake;
    } else {
      const expected = error instanceof DevClusterError;
      process.stderr.write(`The ${name} failed: ${expected ? error.message : String((error as Error).stack)}\n`);
      process.exitCode = exitCodes.failure;
    }
  }
}
