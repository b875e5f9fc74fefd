import { ApiError, isConflict, isForbidden, isInvalid, isNotFound } from '@spillway/kube';

/** The pod is gone, or another has its name: the UID of a patch differs. */
export function unlessReplaced(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error) && !isInvalid(error)) throw error;
}

/** The answer of a cluster that never will: it knows no such subresource, may not, or finds the change wrong. */
export function isRefusal(error: unknown): error is ApiError {
  return (
    isInvalid(error) || isForbidden(error) || isNotFound(error) || (error instanceof ApiError && error.status === 405)
  );
}
