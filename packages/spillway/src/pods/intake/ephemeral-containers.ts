import type { Pod } from '@spillway/kube';
import type { Notice } from '../../backends/backend.ts';

/**
 * The API server takes the ephemeral container of a `kubectl debug` for any pod, and no backend can add one to an instance.
 * One notice for each that is new.
 */
export function ephemeralContainerNotices(before: Pod | undefined, pod: Pod): readonly Notice[] {
  const wanted = pod.spec?.ephemeralContainers;
  if (wanted === undefined || before === undefined) return [];
  const known = before.spec?.ephemeralContainers ?? [];
  return wanted
    .filter(({ name }) => !known.some((other) => other.name === name))
    .map(({ name }) => ({
      severity: 'Warning',
      reason: 'EphemeralContainerNotSupported',
      message: `Ephemeral container "${name}" is not run: a pod on a virtual node cannot get another container. Use kubectl exec, or debug a copy of the pod: kubectl debug POD --copy-to=NAME --image=IMAGE.`,
      fieldPath: `spec.ephemeralContainers{${name}}`,
    }));
}
