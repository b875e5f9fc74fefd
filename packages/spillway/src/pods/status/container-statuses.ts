import type { Container, ContainerState, ContainerStatus, Pod } from '@spillway/kube';
import { startingReason } from '../../podspec/containers.ts';
import type { Waiting } from '../core/problems.ts';

/**
 * One status for every container of the list, in its order. A container of which nothing is known waits, with the
 * reason that holds it up. If that is only that it has not been started, it is told as a kubelet of this cluster does: the
 * backend's pod may have other init containers.
 */
export function completeStatuses(
  pod: Pod,
  containers: readonly Container[],
  known: readonly ContainerStatus[],
  waiting: Waiting | undefined,
): ContainerStatus[] {
  const starting = startingReason(pod);
  return containers.map((container) => {
    const status = known.find(({ name }) => name === container.name);
    const complete =
      status === undefined ? neverStarted(container, waiting ?? { reason: starting }) : wholeSeconds(status);
    const why = complete.state?.waiting;
    const isStarting = why?.reason === 'PodInitializing' || why?.reason === 'ContainerCreating';
    return isStarting ? { ...complete, state: { waiting: { ...why, reason: starting } } } : complete;
  });
}

/** What the kubelet writes for a container that it cannot find when the pod has ended. Those that ended are kept. */
export function lostStatuses(statuses: readonly ContainerStatus[], onlyStarted: boolean): ContainerStatus[] {
  return statuses.map((status) => {
    const { state, lastState } = status;
    if (state?.terminated || (onlyStarted && !state?.running && !lastState?.terminated)) return status;
    return {
      ...status,
      ready: false,
      started: false,
      state: {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message: 'The container could not be located when the pod was terminated',
          ...(status.containerID === undefined ? {} : { containerID: status.containerID }),
          ...(state?.running?.startedAt === undefined ? {} : { startedAt: state.running.startedAt }),
        },
      },
    };
  });
}

function neverStarted({ name, image }: Container, waiting: Waiting | { readonly reason: string }): ContainerStatus {
  return {
    name,
    image: image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { ...waiting } },
  };
}

/** The API keeps times in whole seconds; what is finer would differ from the live status for ever. */
export function wholeSecond(time: string): string {
  // Most are: asked for every pod at every step.
  if (time.length === 20 && time.endsWith('Z')) return time;
  const parsed = new Date(time);
  return Number.isNaN(parsed.getTime()) ? time : `${parsed.toISOString().slice(0, 19)}Z`;
}

function wholeSeconds(status: ContainerStatus): ContainerStatus {
  const { state, lastState } = status;
  return {
    ...status,
    ...(state === undefined ? {} : { state: stateInSeconds(state) }),
    ...(lastState === undefined ? {} : { lastState: stateInSeconds(lastState) }),
  };
}

function stateInSeconds({ running, terminated, waiting }: ContainerState): ContainerState {
  if (running) return { running: running.startedAt ? { startedAt: wholeSecond(running.startedAt) } : {} };
  if (terminated) {
    const { startedAt, finishedAt, ...rest } = terminated;
    return {
      terminated: {
        ...rest,
        ...(startedAt ? { startedAt: wholeSecond(startedAt) } : {}),
        ...(finishedAt ? { finishedAt: wholeSecond(finishedAt) } : {}),
      },
    };
  }
  return waiting ? { waiting } : {};
}
