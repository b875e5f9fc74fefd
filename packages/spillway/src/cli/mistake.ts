import { ApiError, KubeconfigError, TransportError } from '@spillway/kube';
import { ConfigError } from '../config/load.ts';

/**
 * `mistake`: the command line, the configuration or the credentials have to be changed before trying again helps.
 * `findings`: the question was answered, and the answer is that something is wrong.
 */
export const exitCodes = { failure: 1, mistake: 2, findings: 3 } as const;

/** What was asked for cannot be meant. */
export class UsageError extends Error {}

/** The exit code for an error that its message explains completely; undefined: a defect. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof ConfigError || error instanceof KubeconfigError || error instanceof UsageError) {
    return exitCodes.mistake;
  }
  return error instanceof ApiError || error instanceof TransportError ? exitCodes.failure : undefined;
}
