import type { Container, ContainerStatus } from '@spillway/kube';
import type { Instance, Workload } from '../backend.ts';

/** An instance that was accepted, and of which nothing runs. */
export function halfInstance({ ref, pod }: Workload, nowMs: number): Instance {
  return {
    ref,
    state: 'starting',
    podIPs: [],
    startTime: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    containerStatuses: (pod.spec?.containers ?? []).map(waiting),
    initContainerStatuses: (pod.spec?.initContainers ?? []).map(waiting),
  };
}

function waiting({ name, image = '' }: Container): ContainerStatus {
  return {
    name,
    image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason: 'ContainerCreating' } },
  };
}
