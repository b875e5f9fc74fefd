import type { Container, ContainerStatus, Pod } from '@spillway/kube';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseInput {
  readonly pod: Pod;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  /** Nothing runs and nothing will run again. */
  readonly ended: boolean;
}

/** `status.phase` by the rules of the kubelet (`getPhase` in pkg/kubelet/kubelet_pods.go, 1.36). */
export function podPhase({ pod, initContainerStatuses, containerStatuses, ended }: PhaseInput): PodPhase {
  const restartPolicy = pod.spec?.restartPolicy ?? 'Always';
  const init = countInit(pod.spec?.initContainers ?? [], initContainerStatuses);
  const main = countMain(pod.spec?.containers ?? [], containerStatuses);
  const running = init.running + main.running;
  const unknown = init.unknown + main.unknown;

  if (init.failed > 0 && (restartPolicy === 'Never' || ended)) return 'Failed';
  // A pod that was ended before all its containers ran did not do what it was asked for.
  if (ended) return main.succeeded > 0 && main.succeeded === pod.spec?.containers.length ? 'Succeeded' : 'Failed';
  const initialized = anyRegularContainerStarted(containerStatuses);
  if (init.pending > 0 || (init.pendingSidecars > 0 && !initialized)) return 'Pending';
  if (init.waiting + main.waiting > 0) return 'Pending';
  if (running > 0 && unknown === 0) return 'Running';
  if (running === 0 && main.stopped > 0 && unknown === 0) {
    if (restartPolicy === 'Always') return 'Running';
    if (main.stopped === main.succeeded) return 'Succeeded';
    return restartPolicy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/** Then the pod has been initialized once, whatever its init containers do now. */
export function anyRegularContainerStarted(statuses: readonly ContainerStatus[]): boolean {
  return statuses.some(
    ({ state, lastState, started }) =>
      started === true ||
      state?.running !== undefined ||
      state?.terminated !== undefined ||
      lastState?.terminated !== undefined,
  );
}

export function statusOf(statuses: readonly ContainerStatus[], name: string): ContainerStatus | undefined {
  return statuses.find((status) => status.name === name);
}

interface InitCounts {
  pending: number;
  pendingSidecars: number;
  failed: number;
  running: number;
  waiting: number;
  unknown: number;
}

function countInit(containers: readonly Container[], statuses: readonly ContainerStatus[]): InitCounts {
  const counts: InitCounts = { pending: 0, pendingSidecars: 0, failed: 0, running: 0, waiting: 0, unknown: 0 };
  for (const container of containers) {
    const status = statusOf(statuses, container.name);
    if (isSidecar(container)) countSidecar(counts, status);
    else countRegularInit(counts, status);
  }
  return counts;
}

function countRegularInit(counts: InitCounts, status: ContainerStatus | undefined): void {
  const { state, lastState } = status ?? {};
  // While it waits for its next try, the previous one counts.
  const end = state?.terminated ?? (state?.waiting && lastState?.terminated);
  if (end === undefined) counts.pending += 1;
  else if (end.exitCode !== 0) counts.failed += 1;
}

function countSidecar(counts: InitCounts, status: ContainerStatus | undefined): void {
  const { state, lastState, started } = status ?? {};
  if (state?.running) {
    if (started !== true) counts.pendingSidecars += 1;
    counts.running += 1;
  } else if (state?.waiting) {
    if (!lastState?.terminated) {
      counts.pendingSidecars += 1;
      counts.waiting += 1;
    }
  } else if (!state?.terminated) {
    counts.pendingSidecars += 1;
    counts.unknown += 1;
  }
}

interface MainCounts {
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
  unknown: number;
}

function countMain(containers: readonly Container[], statuses: readonly ContainerStatus[]): MainCounts {
  const counts: MainCounts = { running: 0, waiting: 0, stopped: 0, succeeded: 0, unknown: 0 };
  for (const { name } of containers) {
    const { state, lastState } = statusOf(statuses, name) ?? {};
    if (state?.running) counts.running += 1;
    else if (state?.terminated) {
      counts.stopped += 1;
      if (state.terminated.exitCode === 0) counts.succeeded += 1;
    } else if (state?.waiting) {
      if (lastState?.terminated) counts.stopped += 1;
      else counts.waiting += 1;
    } else counts.unknown += 1;
  }
  return counts;
}
