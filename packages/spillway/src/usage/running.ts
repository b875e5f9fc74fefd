import type { ContainerStatus } from '@spillway/kube';
import type { Instance } from '../backends/backend.ts';

export interface RunningContainer {
  readonly name: string;
  readonly startedAtMs: number;
  readonly status: ContainerStatus;
}

/** The containers of an instance that run now, init and ephemeral ones included. */
export function runningContainers(instance: Instance): RunningContainer[] {
  const { initContainerStatuses, containerStatuses, ephemeralContainerStatuses = [] } = instance;
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].flatMap((status) => {
    const startedAtMs = Date.parse(status.state?.running?.startedAt ?? '');
    return Number.isNaN(startedAtMs) ? [] : [{ name: status.name, startedAtMs, status }];
  });
}
