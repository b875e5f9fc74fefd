import type { ContainerStatus, Pod } from '@spillway/kube';
import type { Instance, InstanceRef } from '../../backend.ts';
import { sentences } from '../../../podspec/words.ts';
import type { Dialect } from '../dialect.ts';
import { isOfPod, withoutWriter } from '../fields/hosts-file.ts';
import { revisionAnnotation } from './marks.ts';
import { whyUnplaced } from './place.ts';
import { namedAsHere } from './notices.ts';

/** Conditions of the other cluster's that say something about the pod here. */
const knownConditions = new Set([
  'PodReadyToStartContainers',
  'DisruptionTarget',
  'PodResizePending',
  'PodResizeInProgress',
]);

/** What the pod of the other cluster says about ours. `remedyOf`: what people can do about why a container waits. */
export function observe(ref: InstanceRef, pod: Pod, remedyOf: Dialect['remedyOf'] = () => undefined): Instance {
  const { metadata, spec, status } = pod;
  const { state, initContainerStatuses, containerStatuses } = progressOf(pod);
  const ephemeral = inOrder(spec?.ephemeralContainers, status?.ephemeralContainerStatuses);
  const added = objectsIn(status?.initContainerStatuses).filter((each) => !isOfPod(each));
  const conditions = objectsIn(status?.conditions).filter(({ type }) => knownConditions.has(type));
  const unplaced = state === 'starting' ? whyUnplaced(pod) : undefined;
  const revision = metadata?.annotations?.[revisionAnnotation];
  const told = (each: ContainerStatus): ContainerStatus =>
    withWaiting(each, (message) => sentences(namedAsHere(message, pod, ref), remedyOf(message)));
  return {
    ref,
    state,
    ...(unplaced !== undefined && { unplaced }),
    podIPs: objectsIn(status?.podIPs).flatMap(({ ip }) => (ip ? [ip] : [])),
    startTime: metadata?.creationTimestamp ?? '',
    ...(spec && { spec }),
    ...(revision !== undefined && { revision }),
    containerStatuses: containerStatuses.map(told),
    initContainerStatuses: initContainerStatuses.map(told),
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral.map(told) }),
    ...(added.length > 0 && { addedContainerStatuses: added }),
    ...(conditions.length > 0 && { conditions }),
    ...(state === 'ended' && status?.reason && { reason: status.reason }),
    ...(state === 'ended' && status?.message && { message: status.message }),
  };
}

/** How far a pod has come. */
export function progressOf(pod: Pod): Pick<Instance, 'state' | 'initContainerStatuses' | 'containerStatuses'> {
  const { spec, status } = pod;
  const containerStatuses = inOrder(spec?.containers, status?.containerStatuses);
  const initContainerStatuses = inOrder(spec?.initContainers, status?.initContainerStatuses);
  return { state: stateOf(pod, containerStatuses), ...withoutWriter({ initContainerStatuses, containerStatuses }) };
}

function withWaiting(status: ContainerStatus, change: (message: string) => string): ContainerStatus {
  const { waiting } = status.state ?? {};
  if (waiting?.message === undefined) return status;
  return { ...status, state: { waiting: { ...waiting, message: change(waiting.message) } } };
}

/** A pod that is being deleted and has no node never gets one, so that nothing of it runs. */
function stateOf({ metadata, spec, status }: Pod, containers: readonly ContainerStatus[]): Instance['state'] {
  const { phase } = status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return 'ended';
  if (metadata?.deletionTimestamp) return spec?.nodeName ? 'stopping' : 'ended';
  const started = containers.filter(hasStarted).length;
  return phase === 'Running' && started === objectsIn(spec?.containers).length ? 'running' : 'starting';
}

function hasStarted({ state, lastState, restartCount }: ContainerStatus): boolean {
  return Boolean(state?.running ?? state?.terminated ?? lastState?.terminated) || (restartCount ?? 0) > 0;
}

/** The kubelet sorts by name; the pod's own order is what people expect. */
function inOrder(
  containers: readonly { readonly name: string }[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
): ContainerStatus[] {
  const found = objectsIn(statuses);
  return objectsIn(containers).flatMap(({ name }) => found.find((status) => status.name === name) ?? []);
}

/** Whatever another cluster sends for a list: one odd pod must not make all the others unreadable. */
function objectsIn<T extends object>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'object' && each !== null) : [];
}
