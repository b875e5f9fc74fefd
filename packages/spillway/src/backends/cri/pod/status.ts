import type { ContainerState, ContainerStateTerminated, ContainerStatus } from '@spillway/kube';
import { containersOf, type PodContainer } from '../../../podspec/containers.ts';
import type { Instance, Workload } from '../../backend.ts';
import { backoffOf, decide, isAborted, isFinal, type Situation } from './decide.ts';
import { latestContainer, latestSandbox, type ObservedContainer, previousContainer } from './observed.ts';
import { isWaiting } from './plan.ts';

export interface StatusInput extends Situation {
  readonly workload: Workload;
  /** Prefix of container ids, e.g. `containerd`. */
  readonly runtimeName: string;
  /** What ended containers left behind, by runtime id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
}

/** The instance as the rest of Spillway sees it. Pure. */
export function instanceOf(input: StatusInput): Instance {
  const { workload, pod, intent } = input;
  const statuses = containersOf(workload.pod).map((each) => ({
    init: each.init,
    status: containerStatus(input, each),
  }));
  const ready = latestSandbox(pod)?.ready === true;
  return {
    ref: workload.ref,
    state: stateOf(input),
    podIPs: intent.podIPs,
    startTime: time(intent.acceptedAt),
    ...(workload.pod.spec && { spec: workload.pod.spec }),
    initContainerStatuses: statuses.filter(({ init }) => init).map(({ status }) => status),
    containerStatuses: statuses.filter(({ init }) => !init).map(({ status }) => status),
    conditions: [{ type: 'PodReadyToStartContainers', status: ready ? 'True' : 'False' }],
    ...intent.outcome,
  };
}

function stateOf(input: StatusInput): Instance['state'] {
  const { intent, plan, pod } = input;
  if (intent.removing) return 'stopping';
  if (decide(input).step === 'ended') return 'ended';
  if (intent.stopBy !== undefined) return 'stopping';
  const started = plan.containers.every((name) =>
    pod.containers.some((each) => each.name === name && wasStarted(each)),
  );
  return started ? 'running' : 'starting';
}

function containerStatus(input: StatusInput, { container, init }: PodContainer): ContainerStatus {
  const { name } = container;
  const latest = latestContainer(input.pod, name);
  const state = currentState(input, name, latest);
  const shown = (state.running ?? state.terminated) ? latest : undefined;
  // Whatever the current state is not about is the last state.
  const last = shown ? previousContainer(input.pod, name) : latest && wasStarted(latest) ? latest : undefined;
  const running = state.running !== undefined;
  return {
    name,
    image: latest?.image || (container.image ?? ''),
    imageID: latest?.imageId ?? '',
    ...(latest && wasStarted(latest) && { containerID: `${input.runtimeName}://${latest.id}` }),
    state,
    lastState: last?.state === 'exited' ? { terminated: terminated(input, last) } : {},
    restartCount: latest?.attempt ?? 0,
    started: running,
    // Without probes a container is ready while it runs, and an init container when it has done its work.
    ready: init ? state.terminated?.exitCode === 0 : running,
  };
}

function currentState(input: StatusInput, name: string, latest: ObservedContainer | undefined): ContainerState {
  if (latest?.state === 'running') return { running: { startedAt: time(latest.startedAt ?? latest.createdAt) } };
  const waiting = waitingState(input, name, latest);
  if (waiting) return { waiting };
  if (latest?.state === 'exited' && wasStarted(latest)) return { terminated: terminated(input, latest) };
  return { waiting: { reason: isInitializing(input, name) ? 'PodInitializing' : 'ContainerCreating' } };
}

function waitingState(
  input: StatusInput,
  name: string,
  latest: ObservedContainer | undefined,
): NonNullable<ContainerState['waiting']> | undefined {
  if (input.intent.stopBy !== undefined || input.intent.removing) return undefined;
  if (latest && isFinal(input.plan, latest)) return undefined;
  const failure = input.failures.get(name);
  if (failure) {
    const { reason, message } = failure.backoff && isWaiting(failure, input.now) ? failure.backoff : failure;
    return { reason, message };
  }
  const until = latest && backoffOf(input, latest);
  if (!latest || until === undefined) return undefined;
  return { reason: 'CrashLoopBackOff', message: backoffMessage(input, latest) };
}

function backoffMessage({ workload: { ref } }: StatusInput, { name, backoffMs }: ObservedContainer): string {
  const { namespace, name: podName, uid } = ref;
  return `back-off ${duration(backoffMs)} restarting failed container=${name} pod=${podName}_${namespace}(${uid})`;
}

function terminated(input: StatusInput, container: ObservedContainer): ContainerStateTerminated {
  const { id, exitCode = 0, createdAt, startedAt, finishedAt = createdAt, reason } = container;
  const message = input.terminationMessages.get(id) || container.message;
  return {
    exitCode,
    reason: reason || (exitCode === 0 ? 'Completed' : 'Error'),
    ...(message && { message }),
    startedAt: time(startedAt || createdAt),
    finishedAt: time(finishedAt),
    containerID: `${input.runtimeName}://${id}`,
  };
}

/** Main containers wait for init containers; init containers for those before them. */
function isInitializing({ plan, pod }: StatusInput, name: string): boolean {
  const before = plan.initContainers.includes(name)
    ? plan.initContainers.slice(0, plan.initContainers.indexOf(name))
    : plan.initContainers;
  const done = before.every((each) => latestContainer(pod, each)?.exitCode === 0);
  return before.length > 0 && !done;
}

function wasStarted(container: ObservedContainer): boolean {
  return container.state === 'running' || (container.state === 'exited' && !isAborted(container));
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`;
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
