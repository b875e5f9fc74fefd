/**
 * What a command ends with besides 0, see docs/cli.md. `mistake`: the command line, a file or the credentials have to be changed
 * before trying again helps. `findings`: the question was answered, and the answer is that something is wrong.
 */
export const exitCodes = { failure: 1, mistake: 2, findings: 3 } as const;

/** What was asked for cannot be meant. */
export class UsageError extends Error {}

/** Ends a command with a message that says all, and its own exit code. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
