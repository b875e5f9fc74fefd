import type { Command } from 'commander';
import { CommandFailure, exitCodes } from './mistake.ts';

export interface OptionalPackage<P> {
  readonly name: string;
  readonly load: () => Promise<P>;
  /** What a command ends with when it fails in this way, and the error's message is all that people need; undefined: a defect. */
  readonly exitCodeOf: (error: unknown, loaded: P) => number | undefined;
}

/** Runs work with a package that is loaded only here: it is no part of what runs in a cluster, and may be absent. */
export function withPackage<P>({
  name,
  load,
  exitCodeOf,
}: OptionalPackage<P>): (command: Command, work: (loaded: P) => Promise<void>) => Promise<void> {
  return async (command, work) => {
    const loaded = await load().catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
      const asked = `spillway ${command.parent?.name()}`;
      throw new CommandFailure(`"${asked}" needs the package ${name}: npm install ${name}`, exitCodes.failure);
    });
    try {
      await work(loaded);
    } catch (error) {
      const exitCode = exitCodeOf(error, loaded);
      if (exitCode === undefined || !(error instanceof Error)) throw error;
      throw new CommandFailure(error.message, exitCode, { cause: error });
    }
  };
}
