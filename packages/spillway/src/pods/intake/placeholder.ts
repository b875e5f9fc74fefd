import { controllerOf, type Container, type ContainerStatus, type Pod } from '@spillway/kube';
import type { Instance, Notice } from '../../backends/backend.ts';
import { placeholderAnnotation } from '../../podspec/contract.ts';
import type { Annotations } from '../../podspec/sizing/shown.ts';
import { instanceRef } from '../../podspec/pod-facts.ts';
import { isSidecar } from '../status/phase.ts';

export const placeholderText =
  'This pod of a DaemonSet is a placeholder: nothing runs for it on a virtual node, it has no address and costs nothing.';

export const placeholderAnnotations: Annotations = { [placeholderAnnotation]: 'true' };

export const placeholderNotice: Notice = { severity: 'Normal', reason: 'Placeholder', message: placeholderText };

/**
 * Pods of DaemonSets that tolerate everything reach virtual nodes in spite of the taints. Shown as running, so that the
 * rollout of their DaemonSet finishes.
 */
export function isOfDaemonSet(pod: Pod): boolean {
  return controllerOf(pod)?.kind === 'DaemonSet';
}

/**
 * What the status of a placeholder is made of. It has no addresses, also with `hostNetwork`: with one it would become
 * an endpoint that swallows traffic.
 */
export function placeholderInstance(pod: Pod, firstSeenMs: number): Instance {
  const startTime = pod.status?.startTime ?? new Date(firstSeenMs).toISOString();
  return {
    ref: instanceRef(pod),
    state: 'running',
    podIPs: [],
    startTime,
    containerStatuses: (pod.spec?.containers ?? []).map((container) => runningStatus(container, startTime)),
    initContainerStatuses: (pod.spec?.initContainers ?? []).map((container) =>
      isSidecar(container) ? runningStatus(container, startTime) : doneStatus(container, startTime),
    ),
  };
}

function runningStatus(container: Container, startedAt: string): ContainerStatus {
  return { ...plainStatus(container), started: true, state: { running: { startedAt } } };
}

function doneStatus(container: Container, at: string): ContainerStatus {
  const terminated = { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at };
  return { ...plainStatus(container), started: false, state: { terminated } };
}

function plainStatus({ name, image = '' }: Container): Omit<ContainerStatus, 'state'> {
  return { name, image, imageID: '', ready: true, restartCount: 0 };
}
