import { type Command, CommanderError } from 'commander';
import { ApiError, KubeconfigError, TransportError } from '@spillway/kube';
import { ConfigError } from '../config/load.ts';
import { ManifestError } from '../diagnosis/plan/manifest.ts';

/**
 * `mistake`: the command line, the configuration or the credentials have to be changed before trying again helps.
 * `findings`: the question was answered, and the answer is that something is wrong.
 */
export const exitCodes = { failure: 1, mistake: 2, findings: 3 } as const;

/** Commander leaves the process with 1 otherwise, which is for what is nobody's mistake. */
export function throwInPlaceOfExit(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) throwInPlaceOfExit(below);
}

/** What was asked for cannot be meant. */
export class UsageError extends Error {}

/** The exit code for an error that its message explains completely; undefined: a defect. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof CommanderError) {
    // Help and version end the program in this way too, and commands that say themselves how.
    return error.exitCode === 0 || error.code === 'commander.error' ? error.exitCode : exitCodes.mistake;
  }
  const mistakes = [ConfigError, KubeconfigError, ManifestError, UsageError];
  if (mistakes.some((kind) => error instanceof kind)) return exitCodes.mistake;
  return error instanceof ApiError || error instanceof TransportError ? exitCodes.failure : undefined;
}
