/**
 * - `invalid`: the caller asked for something that cannot be
 * - `host`: this machine lacks something that the cluster needs
 * - `binary`: a program could not be found, fetched or built
 * - `exists` / `notFound`: of a cluster with that name
 * - `startup`: a component did not become ready
 * - `control`: the cluster's supervisor does not answer
 * - `cleanup`: something of a cluster could not be removed
 */
export type DevClusterErrorKind =
  | 'invalid'
  | 'host'
  | 'binary'
  | 'exists'
  | 'notFound'
  | 'startup'
  | 'control'
  | 'cleanup';

/** The message says what happened, to what, and what to do; it may be shown to people as it is. */
export class DevClusterError extends Error {
  readonly kind: DevClusterErrorKind;

  constructor(kind: DevClusterErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DevClusterError';
    this.kind = kind;
  }
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system error (`ENOENT`, …), undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
