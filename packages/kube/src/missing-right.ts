import { ApiError } from './errors.ts';

/** What somebody was not allowed to do, as the API server says it. */
export interface MissingRight {
  readonly user: string;
  readonly verb: string;
  /** `pods`, `pods/status`, or a path that is no resource */
  readonly resource: string;
}

/** Undefined: the error has another reason than a right that is missing. */
export function missingRightOf(error: unknown): MissingRight | undefined {
  if (!(error instanceof ApiError) || error.kind !== 'forbidden') return undefined;
  const [, user, verb, resource] = /User "([^"]*)" cannot (\S+) (?:resource|path) "([^"]*)"/.exec(error.message) ?? [];
  return user === undefined || verb === undefined || resource === undefined ? undefined : { user, verb, resource };
}
