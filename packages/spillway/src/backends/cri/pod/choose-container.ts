import { BackendError, type Instance, type InstanceRef } from '../../backend.ts';
import { latestContainer, type ObservedContainer, type ObservedPod, previousContainer } from './observed.ts';

interface Chosen {
  readonly ref: InstanceRef;
  readonly observed: ObservedPod;
  readonly instance: Instance;
}

/** The attempt whose log is asked for, by the kubelet's rules: while a container waits, its last end is the current one. */
export function loggedContainer(pod: Chosen, name: string, previous: boolean): ObservedContainer {
  const status = statusOf(pod, name);
  const { waiting } = status.state ?? {};
  const latest = latestContainer(pod.observed, name);
  if (previous) {
    const before = waiting ? latest : previousContainer(pod.observed, name);
    if (before?.state === 'exited') return before;
    throw new BackendError('notFound', `previous terminated container "${name}" in pod "${pod.ref.name}" not found`);
  }
  if (latest && latest.state !== 'created') return latest;
  const reason = waiting?.reason ?? 'ContainerCreating';
  const why = waiting?.message ? `${reason}: ${waiting.message}` : reason;
  throw new BackendError('conflict', `container "${name}" in pod "${pod.ref.name}" is waiting to start: ${why}`);
}

/** The running attempt, for a command in it. */
export function runningContainer(pod: Chosen, name: string): ObservedContainer {
  statusOf(pod, name);
  const latest = latestContainer(pod.observed, name);
  if (latest?.state === 'running') return latest;
  throw new BackendError('conflict', `container "${name}" in pod "${pod.ref.name}" is not running`);
}

function statusOf({ ref, instance }: Chosen, name: string): Instance['containerStatuses'][number] {
  const all = [...instance.initContainerStatuses, ...instance.containerStatuses];
  const status = all.find((each) => each.name === name);
  if (status) return status;
  throw new BackendError('notFound', `container ${name} not found in pod ${ref.name}_${ref.namespace}`);
}
