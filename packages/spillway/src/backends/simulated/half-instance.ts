import type { Container, ContainerStatus } from '@spillway/kube';
import { startingReason } from '../../podspec/containers.ts';
import type { Instance, Workload } from '../backend.ts';

/** An instance that was accepted, and of which nothing runs. */
export function halfInstance({ ref, pod }: Workload, nowMs: number): Instance {
  const waits = (container: Container): ContainerStatus => waiting(container, startingReason(pod));
  return {
    ref,
    state: 'starting',
    podIPs: [],
    startTime: `${new Date(nowMs).toISOString().slice(0, 19)}Z`,
    containerStatuses: (pod.spec?.containers ?? []).map(waits),
    initContainerStatuses: (pod.spec?.initContainers ?? []).map(waits),
  };
}

function waiting({ name, image = '' }: Container, reason: string): ContainerStatus {
  return {
    name,
    image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
  };
}
