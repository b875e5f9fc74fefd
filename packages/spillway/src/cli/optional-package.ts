import type { Command } from 'commander';

export interface OptionalPackage<P> {
  readonly name: string;
  readonly load: () => Promise<P>;
  /** Is the message of this error all that people need? */
  readonly isForPeople: (error: unknown, loaded: P) => error is Error;
}

/** Runs work with a package that is loaded only here: it is no part of what runs in a cluster, and may be absent. */
export function withPackage<P>({
  name,
  load,
  isForPeople,
}: OptionalPackage<P>): (command: Command, work: (loaded: P) => Promise<void>) => Promise<void> {
  return async (command, work) => {
    const loaded = await load().catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error;
      const asked = `spillway ${command.parent?.name()}`;
      return command.error(`error: "${asked}" needs the package ${name}: npm install ${name}`);
    });
    try {
      await work(loaded);
    } catch (error) {
      if (!isForPeople(error, loaded)) throw error;
      command.error(`error: ${error.message}`, { exitCode: 1 });
    }
  };
}
