import { CommanderError } from 'commander';
import { ApiError, KubeconfigError, TransportError } from '@spillway/kube';
import { ConfigError } from '../config/load.ts';
import { ManifestError } from '../diagnosis/plan/manifest.ts';
import { exitCodes, UsageError } from './mistake.ts';

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
