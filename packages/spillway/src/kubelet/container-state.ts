import type { ContainerStatus, Pod } from '@spillway/kube';
import type { KnownPod } from '../pods/known-pods.ts';
import { agentContainer, hasAgent } from '../podspec/agent-container.ts';
import { Problem } from './problem.ts';

/**
 * The log of the container can be asked for. Sentences are the kubelet's, which people and tools know.
 *
 * @throws {Problem} 404 for no such container, 400 while there is no log
 */
export function requireLog(known: KnownPod, container: string, previous: boolean): void {
  const pod = known.pod.metadata?.name ?? '';
  // Shown nowhere, and there for those who have to find out why names or Services fail.
  if (container === agentContainer && hasAgent(known.instance?.spec)) return;
  if (!hasContainer(known.pod, container)) {
    throw new Problem(404, `container "${container}" not found in pod "${pod}"`);
  }
  const status = statusOf(known, container);
  if (status === undefined) throw new Problem(400, `container "${container}" in pod "${pod}" is not available`);
  if (previous) {
    if (status.lastState?.terminated !== undefined) return;
    throw new Problem(400, `previous terminated container "${container}" in pod "${pod}" not found`);
  }
  const { running, terminated } = status.state ?? {};
  if (running === undefined && terminated === undefined && status.lastState?.terminated === undefined) {
    throw waiting(status, pod, ' - no logs yet');
  }
}

/**
 * A command can run in the container, and its streams can be attached to.
 *
 * @throws {Problem} 404 for no such container, 400 while it does not run
 */
export function requireRunning(known: KnownPod, container: string): void {
  const pod = known.pod.metadata?.name ?? '';
  if (!hasContainer(known.pod, container)) throw new Problem(404, `container not found ("${container}")`);
  if (known.placeholder !== undefined) throw new Problem(400, known.placeholder);
  const status = statusOf(known, container);
  if (status === undefined) throw new Problem(400, `container "${container}" in pod "${pod}" is not available`);
  const { running, terminated } = status.state ?? {};
  if (running !== undefined) return;
  if (terminated === undefined) throw waiting(status, pod, '');
  const { exitCode } = terminated;
  throw new Problem(400, `container "${container}" in pod "${pod}" has terminated with exit code ${exitCode}`);
}

/**
 * Something of the pod runs that has ports.
 *
 * @throws {Problem} 404 while nothing runs
 */
export function requirePorts({ pod, instance, placeholder }: KnownPod): void {
  if (placeholder !== undefined) throw new Problem(400, placeholder);
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const started = instance?.state !== 'ended' && (instance?.podIPs.length ?? 0) > 0;
  if (!started) throw new Problem(404, `pod not found ("${name}_${namespace}")`);
}

function waiting(status: ContainerStatus, pod: string, withoutReason: string): Problem {
  const reason = status.state?.waiting?.reason;
  const why = reason === undefined ? withoutReason : explanation(reason);
  return new Problem(400, `container "${status.name}" in pod "${pod}" is waiting to start${why}`);
}

function explanation(reason: string): string {
  switch (reason) {
    case 'ErrImagePull':
      return ": image can't be pulled";
    case 'ImagePullBackOff':
      return ': trying and failing to pull image';
    default:
      return `: ${reason}`;
  }
}

function hasContainer({ spec }: Pod, name: string): boolean {
  const lists = [spec?.containers, spec?.initContainers, spec?.ephemeralContainers];
  return lists.some((list) => list?.some((container) => container.name === name));
}

/** The backend knows first; the pod's status is what it said earlier. */
function statusOf({ pod, instance }: KnownPod, name: string): ContainerStatus | undefined {
  const { containerStatuses, initContainerStatuses, ephemeralContainerStatuses } = instance ?? pod.status ?? {};
  const lists = [containerStatuses, initContainerStatuses, ephemeralContainerStatuses];
  return lists.flatMap((list) => list?.find((status) => status.name === name) ?? [])[0];
}
