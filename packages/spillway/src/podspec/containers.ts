import type { Container, Pod } from '@spillway/kube';

export interface PodContainer {
  readonly container: Container;
  readonly init: boolean;
  /** As events name it: `spec.containers{web}`. */
  readonly fieldPath: string;
}

/** Init containers first, in the order in which they start. */
export function containersOf(pod: Pod): PodContainer[] {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  return [
    ...initContainers.map((container) => ({
      container,
      init: true,
      fieldPath: `spec.initContainers{${container.name}}`,
    })),
    ...containers.map((container) => ({ container, init: false, fieldPath: `spec.containers{${container.name}}` })),
  ];
}

/**
 * Why a container waits that nothing holds up (`convertToAPIContainerStatuses` in pkg/kubelet/kubelet_pods.go, 1.37). It goes by what
 * the pod has, and not by how far it has come: init containers say the same, and the others also when those are done.
 */
export function startingReason({ spec }: Pod): 'PodInitializing' | 'ContainerCreating' {
  return (spec?.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating';
}

/** As a pod is created: no cluster creates one with any. */
export function withoutEphemeralContainers(pod: Pod): Pod {
  if (pod.spec === undefined || (pod.spec.ephemeralContainers ?? []).length === 0) return pod;
  const { ephemeralContainers: _, ...spec } = pod.spec;
  return { ...pod, spec };
}

/** Those that were added to the pod while it ran, as by `kubectl debug`. */
export function ephemeralContainersOf({ spec }: Pod): Omit<PodContainer, 'init'>[] {
  return (spec?.ephemeralContainers ?? []).map((container) => ({
    container,
    fieldPath: `spec.ephemeralContainers{${container.name}}`,
  }));
}
