import { KubeconfigError } from '@spillway/kube';
import { ConfigError } from '../config/load.ts';

/** `mistake`: the command line, the configuration or the credentials have to be changed before trying again helps. */
export const exitCodes = { failure: 1, mistake: 2 } as const;

/** An error that its message explains completely. */
export function isMistake(error: unknown): error is Error {
  return error instanceof ConfigError || error instanceof KubeconfigError;
}
