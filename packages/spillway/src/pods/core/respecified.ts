import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '@spillway/kube';

/**
 * Whether what the pod asks for is news. Its generation says so from Kubernetes 1.34 on; before, pods have none and the
 * specs are compared.
 */
export function isRespecified(before: Pod | undefined, now: Pod): boolean {
  if (before === undefined) return true;
  const generations = [before.metadata?.generation, now.metadata?.generation];
  return generations.every((generation) => generation === undefined)
    ? !isDeepStrictEqual(before.spec, now.spec)
    : generations[0] !== generations[1];
}
