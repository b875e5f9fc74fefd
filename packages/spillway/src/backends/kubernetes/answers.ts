import { isConflict, isInvalid, isNotFound } from '@spillway/kube';

/** The pod is gone, or another has its name: the UID of a patch differs. */
export function unlessReplaced(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error) && !isInvalid(error)) throw error;
}
