import type { ContainerStatus, Pod, PodCondition, PodStatus } from '@spillway/kube';
import type { Instance, Refusal } from '../../backends/backend.ts';
import { podConditions } from './conditions.ts';
import { completeStatuses, lostStatuses, wholeSecond } from './container-statuses.ts';
import { isTerminalPhase } from '../../podspec/pod-facts.ts';
import { type PodPhase, podPhase } from './phase.ts';
import type { Verdict } from '../core/pod-state.ts';
import type { Waiting } from '../core/problems.ts';

export interface StatusInput {
  /** As the cluster has it; its status is what we compare with and complete. */
  readonly pod: Pod;
  /** The newest that was seen, also when it is gone. */
  readonly instance: Instance | undefined;
  /** What keeps the pod from starting. */
  readonly waiting?: Waiting | undefined;
  readonly verdict?: Verdict | undefined;
  /** Has the instance become what the pod is now? Until then the pod's generation is not observed. Default: it has. */
  readonly carriedOut?: boolean;
  /** But for this; undefined: not known. */
  readonly refused?: readonly Refusal[] | undefined;
  /** Nothing runs and nothing will run again, although the instance did not say so itself: it is gone, or never was. */
  readonly over: boolean;
  /** A container ran; then one that cannot be found counts as killed. */
  readonly ran: boolean;
  readonly hostIPs: readonly string[];
  readonly firstSeenMs: number;
  readonly nowMs: number;
}

/**
 * The status that the pod should have: the fields and conditions that Spillway owns, and nothing else. Pure, and the
 * same again for the same facts as long as the live status holds what was returned.
 */
export function podStatus(facts: StatusInput): PodStatus {
  // Of a pod that is over only an instance that has ended tells more than is said already.
  const isOfAnother = isOver(facts.pod.status) && facts.instance?.state !== 'ended';
  const input = isOfAnother ? { ...facts, instance: undefined, over: true } : facts;
  const { pod, instance, verdict, hostIPs } = input;
  const live = pod.status ?? {};
  // The address of the virtual node is that of the replica that leads. The pod has not moved when another one does.
  const toldHosts = (live.hostIPs ?? []).map(({ ip }) => ip);
  const hosts = toldHosts.length > 0 ? toldHosts : hostIPs;
  const ended = input.over || instance?.state === 'ended';
  const { initContainerStatuses, containerStatuses } = statusesOf(input, ended);
  const phase = phaseOf(input, { initContainerStatuses, containerStatuses, ended });
  // An instance that has ended may have given its address back; the status keeps it, as the kubelet's does.
  const told = (live.podIPs ?? []).map(({ ip }) => ip);
  const podIPs = instance?.podIPs.length && !(isOver(live) && told.length > 0) ? instance.podIPs : told;
  const why = verdict ?? (instance?.reason === undefined ? undefined : instance);
  const generation = observedGeneration(pod, !ended && !(input.carriedOut ?? true), ended);
  const conditions = podConditions({
    pod,
    generation,
    phase,
    initContainerStatuses,
    containerStatuses,
    readyToStartContainers: !ended && instance !== undefined && podIPs.length > 0,
    fromBackend: instance?.conditions ?? [],
    refused: ended ? [] : input.refused,
    disruption: verdict?.reason === 'InstanceLost' ? verdict : undefined,
    now: wholeSecond(new Date(input.nowMs).toISOString()),
  });
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...reasonAndMessage(live, ended ? why : undefined),
    conditions: withoutPrematureScheduled(conditions, input),
    ...(hosts[0] === undefined ? {} : { hostIP: hosts[0], hostIPs: hosts.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: live.startTime ?? wholeSecond(instance?.startTime ?? new Date(input.firstSeenMs).toISOString()),
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses,
    ...ephemeralStatuses(input),
  };
}

/** As the backend sees them; a container that it does not have is told elsewhere, and has no status. */
function ephemeralStatuses({ pod, instance }: StatusInput): Pick<PodStatus, 'ephemeralContainerStatuses'> {
  const known = instance?.ephemeralContainerStatuses ?? pod.status?.ephemeralContainerStatuses ?? [];
  const there = (pod.spec?.ephemeralContainers ?? []).filter(({ name }) => known.some((each) => each.name === name));
  if (there.length === 0) return {};
  return { ephemeralContainerStatuses: completeStatuses(pod, there, known, undefined) };
}

function phaseOf(
  { pod, instance, verdict }: StatusInput,
  containers: Omit<Parameters<typeof podPhase>[0], 'pod'>,
): PodPhase {
  const live = pod.status?.phase;
  if (isTerminalPhase(live)) return live;
  if (containers.ended && (verdict !== undefined || instance?.reason !== undefined)) return 'Failed';
  const phase = podPhase({ pod, ...containers });
  // Who runs the pod says when it is over, and why, after its last container has ended (the kubelet's `mergePodStatus`).
  if (!isTerminalPhase(phase) || containers.ended) return phase;
  return live === 'Running' ? 'Running' : 'Pending';
}

/** The pod has ended, by whomever, and none of its containers runs. */
function isOver({ phase, initContainerStatuses = [], containerStatuses = [] }: PodStatus = {}): boolean {
  const all = [...initContainerStatuses, ...containerStatuses];
  return isTerminalPhase(phase) && !all.some(({ state }) => state?.running);
}

/** A status tells how the pod ended when it has phase and exit codes of the one that should. */
export function tellsEnd(status: PodStatus, end: PodStatus): boolean {
  if (status.phase !== end.phase) return false;
  const pairs = [
    [end.containerStatuses, status.containerStatuses],
    [end.initContainerStatuses, status.initContainerStatuses],
  ] as const;
  return pairs.every(([want = [], have = []]) =>
    want.every(({ name, state }) => {
      const terminated = state?.terminated;
      return (
        terminated === undefined ||
        have.find((other) => other.name === name)?.state?.terminated?.exitCode === terminated.exitCode
      );
    }),
  );
}

function statusesOf(
  { pod, instance, waiting, ran, verdict }: StatusInput,
  ended: boolean,
): { initContainerStatuses: ContainerStatus[]; containerStatuses: ContainerStatus[] } {
  const init = pod.spec?.initContainers ?? [];
  const main = pod.spec?.containers ?? [];
  const live = pod.status ?? {};
  if (isOver(live)) {
    const initSeen = endsFirst(live.initContainerStatuses, instance?.initContainerStatuses);
    const mainSeen = endsFirst(live.containerStatuses, instance?.containerStatuses);
    return {
      initContainerStatuses: completeStatuses(pod, init, initSeen, waiting),
      containerStatuses: completeStatuses(pod, main, mainSeen, waiting),
    };
  }
  const initContainerStatuses = completeStatuses(
    pod,
    init,
    instance?.initContainerStatuses ?? ranStatuses(live.initContainerStatuses),
    waiting,
  );
  const containerStatuses = completeStatuses(
    pod,
    main,
    instance?.containerStatuses ?? ranStatuses(live.containerStatuses),
    waiting,
  );
  if (!ended || instance?.state === 'ended' || !(ran || verdict?.reason === 'InstanceLost')) {
    return { initContainerStatuses, containerStatuses };
  }
  return {
    initContainerStatuses: lostStatuses(initContainerStatuses, true),
    containerStatuses: lostStatuses(containerStatuses, false),
  };
}

/** What is said of the end of a container stays; else an instance that has ended tells. */
function endsFirst(
  told: readonly ContainerStatus[] = [],
  seen: readonly ContainerStatus[] = [],
): readonly ContainerStatus[] {
  return [...told.filter(({ state }) => state?.terminated), ...seen, ...told];
}

/** A waiting state in the live status was our own guess of a moment ago; what holds the pod up now may be another thing. */
function ranStatuses(statuses: readonly ContainerStatus[] | undefined): readonly ContainerStatus[] {
  return (statuses ?? []).filter(({ state, lastState }) => !state?.waiting || lastState?.terminated);
}

/**
 * The deletion alone makes a new generation. Until the pod has ended it changes nothing that the status says, and is not
 * worth a write.
 */
function observedGeneration({ metadata, status }: Pod, isBehind: boolean, ended: boolean): number | undefined {
  if (isBehind) return status?.observedGeneration;
  const isStopping = metadata?.deletionTimestamp !== undefined && !ended;
  return (isStopping ? status?.observedGeneration : undefined) ?? metadata?.generation;
}

function reasonAndMessage(
  live: PodStatus,
  why: { readonly reason?: string; readonly message?: string } | undefined,
): { reason?: string; message?: string } {
  // A phase that somebody else made terminal keeps the reason that came with it.
  const { reason, message } = why ?? (isTerminalPhase(live.phase) ? live : {});
  return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

/**
 * A pod without the condition was not bound by a scheduler: its author named the node. That is told from the condition
 * (see intake.ts), also after a restart, so it is not added before there is an instance.
 */
function withoutPrematureScheduled(conditions: PodCondition[], { pod, instance }: StatusInput): PodCondition[] {
  if (instance !== undefined || pod.status?.conditions?.some(({ type }) => type === 'PodScheduled')) return conditions;
  return conditions.filter(({ type }) => type !== 'PodScheduled');
}
