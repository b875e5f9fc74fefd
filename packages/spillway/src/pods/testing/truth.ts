import type { ContainerStatus, Pod } from '@spillway/kube';
import type { Instance } from '../../backends/backend.ts';
import { instanceRef, isDeleting, isTerminalPhase } from '../../podspec/pod-facts.ts';
import { revisionOf } from '../../podspec/travelling.ts';
import type { FakePodsApi } from './fake-pods-api.ts';
import type { Overseer } from './overseer.ts';

/** What a container did a moment ago need not be told yet. */
const newsMs = 15_000;

/** What does not hold, although it must when everything works and has had its time: instances, pods and their ends. */
export function whatIsWrong(
  api: FakePodsApi,
  { violation, traces, abandoned }: Pick<Overseer, 'violation' | 'traces' | 'abandoned'>,
  instances: readonly Instance[],
  nowMs: number,
  keepEndedMs: number,
): string | undefined {
  if (violation !== undefined) return violation;
  const byUid = new Map(instances.map((instance) => [instance.ref.uid, instance]));
  const pods = new Set<string>();
  for (const pod of api.all) {
    const { uid } = instanceRef(pod);
    pods.add(uid);
    const wrong = wrongWith(pod, byUid.get(uid), nowMs);
    if (wrong !== undefined) return wrong;
  }
  for (const uid of byUid.keys()) if (!pods.has(uid)) return `the instance of ${uid} is left without its pod`;
  if (keepEndedMs <= 60_000) {
    const kept = api.all.find(
      ({ metadata, status }) => isTerminalPhase(status?.phase) && byUid.has(metadata?.uid ?? ''),
    );
    if (kept) return `${kept.metadata?.uid} has ended, and its instance is kept`;
  }
  for (const [uid, { exitCode, interrupted }] of traces) {
    if (exitCode === undefined || interrupted || abandoned.has(uid)) continue;
    const { status } = api.last.get(uid) ?? {};
    const recorded = status?.containerStatuses?.[0]?.state?.terminated?.exitCode;
    if (!isTerminalPhase(status?.phase) || recorded !== exitCode) {
      return `${uid} ended with ${exitCode}, recorded as ${String(status?.phase)} ${String(recorded)}`;
    }
  }
  for (const [uid, pod] of api.last) {
    if (pods.has(uid) || abandoned.has(uid) || isTerminalPhase(pod.status?.phase)) continue;
    return `${uid} left the cluster as ${String(pod.status?.phase)}`;
  }
  return undefined;
}

function wrongWith(pod: Pod, instance: Instance | undefined, nowMs: number): string | undefined {
  const { uid } = instanceRef(pod);
  const { phase } = pod.status ?? {};
  if (isDeleting(pod)) return `${uid} stays Terminating`;
  if (isTerminalPhase(phase)) {
    const runs = instance !== undefined && instance.state !== 'ended';
    return runs ? `${uid} has ended, but its instance is ${instance.state}` : undefined;
  }
  if (phase !== 'Running') return `${uid} stays ${String(phase)}`;
  if (instance?.state !== 'running') return `${uid} is Running, but does not run`;
  if (instance.revision !== revision(pod)) return `${uid} is not what its author wants now`;
  if (pod.status?.observedGeneration !== pod.metadata?.generation) return `${uid} is not observed`;
  return isTold(pod, instance, nowMs) ? undefined : `${uid} runs otherwise than its status says`;
}

const revisions = new WeakMap<Pod, string>();

/** Asked again and again of a pod that stays as it is. */
function revision(pod: Pod): string {
  const known = revisions.get(pod) ?? revisionOf(pod);
  revisions.set(pod, known);
  return known;
}

function isTold({ status }: Pod, { containerStatuses, podIPs }: Instance, nowMs: number): boolean {
  if (status?.podIP !== podIPs[0]) return false;
  return containerStatuses.every((container) => {
    if (newestMs(container) > nowMs - newsMs) return true;
    const told = status?.containerStatuses?.find(({ name }) => name === container.name);
    return told !== undefined && tellingOf(told) === tellingOf(container);
  });
}

function tellingOf({ state = {}, restartCount, ready, image }: ContainerStatus): string {
  return `${Object.keys(state).join('')} ${restartCount} ${ready} ${image}`;
}

function newestMs({ state, lastState }: ContainerStatus): number {
  const times = [state?.running?.startedAt, state?.terminated?.finishedAt, lastState?.terminated?.finishedAt];
  return Math.max(...times.map((time) => (time === undefined ? 0 : Date.parse(time))));
}
