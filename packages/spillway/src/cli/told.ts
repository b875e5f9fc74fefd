import { CommanderError } from 'commander';
import { ApiError, errorMessage, KubeconfigError, TransportError } from '@spillway/kube';
import { ConfigError } from '../config/load.ts';
import { ManifestError } from '../diagnosis/plan/manifest.ts';
import { RemovalError } from '../removal/removal-error.ts';
import { CommandFailure, exitCodes, UsageError } from './mistake.ts';

export interface Told {
  readonly exitCode: number;
  /** Empty: it has been said already. */
  readonly text: string;
}

const mistakes = [ConfigError, KubeconfigError, ManifestError, UsageError];

/** What people are told of an error, and what the command ends with; undefined: a defect. */
export function toldOf(error: unknown): Told | undefined {
  if (error instanceof CommanderError) {
    // Help and version end the program in this way, too.
    return { exitCode: error.exitCode === 0 ? 0 : exitCodes.mistake, text: '' };
  }
  const text = errorMessage(error);
  if (error instanceof CommandFailure) return { exitCode: error.exitCode, text };
  if (mistakes.some((kind) => error instanceof kind)) return { exitCode: exitCodes.mistake, text };
  if (error instanceof ApiError) {
    return { exitCode: error.kind === 'unauthorized' ? exitCodes.mistake : exitCodes.failure, text };
  }
  if (error instanceof RemovalError) return { exitCode: exitCodes.failure, text };
  return error instanceof TransportError ? { exitCode: exitCodes.failure, text } : undefined;
}
