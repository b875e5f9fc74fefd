import type { Container, ContainerStatus, Pod, PodCondition } from '@spillway/kube';
import type { Refusal } from '../../backends/backend.ts';
import { anyRegularContainerStarted, isSidecar, type PodPhase, statusOf } from './phase.ts';
import { changeConditions, type Transient } from './transient-conditions.ts';

export interface ConditionsInput {
  readonly pod: Pod;
  readonly generation: number | undefined;
  readonly phase: PodPhase;
  readonly initContainerStatuses: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  /** The sandbox stands and has its address. */
  readonly readyToStartContainers: boolean;
  /** What only the backend knows; wins over what is computed here. */
  readonly fromBackend: readonly PodCondition[];
  /** What of the pod's changes its instance does not get; undefined: not known. */
  readonly refused: readonly Refusal[] | undefined;
  /** The pod came to its end by an interruption that was not its own doing. */
  readonly disruption?: { readonly reason: string; readonly message: string } | undefined;
  /** RFC 3339 */
  readonly now: string;
}

interface Judgement {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** Conditions of others (readiness gates, controllers) are read but never written. */
export type OwnedCondition =
  | 'PodReadyToStartContainers'
  | 'Initialized'
  | 'Ready'
  | 'ContainersReady'
  | 'PodScheduled'
  | 'DisruptionTarget';

/** The conditions that Spillway owns, by the rules of the kubelet (pkg/kubelet/status/generate.go, 1.36). */
export function podConditions(input: ConditionsInput): PodCondition[] {
  const containersReady = judgeContainersReady(input);
  const judgements: [OwnedCondition, Judgement][] = [
    ['PodReadyToStartContainers', { status: input.readyToStartContainers ? 'True' : 'False' }],
    ['Initialized', judgeInitialized(input)],
    ['Ready', judgeReady(input, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  if (input.disruption) judgements.push(['DisruptionTarget', { status: 'True', ...input.disruption }]);
  const changes = changeConditions(input.refused, input.fromBackend, input.pod.status?.conditions ?? []);
  return [
    ...judgements.map(([type, judgement]) => {
      const better = input.fromBackend.find((known) => known.type === type);
      return condition(input, { type, ...(better ? fromCondition(better) : judgement) });
    }),
    ...changes.map((each) => condition(input, each)),
  ];
}

function fromCondition({ status, reason, message }: PodCondition): Judgement {
  return {
    status: status === 'True' ? 'True' : 'False',
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

/** The time of the last transition only moves when the status does. */
function condition(
  { pod, generation, now }: ConditionsInput,
  { type, status, reason, message }: Transient,
): PodCondition {
  const live = pod.status?.conditions?.find((known) => known.type === type);
  const since = live?.status === status ? live.lastTransitionTime : undefined;
  return {
    type,
    status,
    lastTransitionTime: since ?? now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function judgeInitialized({ pod, phase, initContainerStatuses, containerStatuses }: ConditionsInput): Judgement {
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec?.initContainers ?? []) {
    const status = statusOf(initContainerStatuses, container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? status.started !== true : !succeeded(status)) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' };
  if (anyRegularContainerStarted(containerStatuses)) return { status: 'True' };
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${list(incomplete)}`] : []),
  ].join(', ');
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotInitialized', message };
}

function succeeded(status: ContainerStatus): boolean {
  return status.ready || status.state?.terminated?.exitCode === 0;
}

function judgeContainersReady({ pod, phase, initContainerStatuses, containerStatuses }: ConditionsInput): Judgement {
  const unknown: string[] = [];
  const unready: string[] = [];
  const look = ({ name }: Container, statuses: readonly ContainerStatus[]): void => {
    const status = statusOf(statuses, name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  };
  for (const container of pod.spec?.initContainers ?? [])
    if (isSidecar(container)) look(container, initContainerStatuses);
  for (const container of pod.spec?.containers ?? []) look(container, containerStatuses);

  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed' && unknown.length === 0) return { status: 'False', reason: 'PodFailed' };
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ].join(', ');
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotReady', message };
}

function judgeReady({ pod }: ConditionsInput, containersReady: Judgement): Judgement {
  if (containersReady.status !== 'True') return containersReady;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const gate = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (gate === undefined) {
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    } else if (gate.status !== 'True') {
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`);
    }
  }
  return messages.length === 0
    ? { status: 'True' }
    : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}

/** As Go prints a list. */
function list(names: readonly string[]): string {
  return `[${names.join(' ')}]`;
}
