import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../cri/pod/observed.ts';
import type { Intent, PodPlan } from '../cri/pod/plan.ts';
import type { Situation } from '../cri/pod/decide.ts';

// What a runtime may say of a pod, for tests. Times are milliseconds.

export function sandbox(more: Partial<ObservedSandbox> = {}): ObservedSandbox {
  return { id: 's0', attempt: 0, ready: true, createdAt: 0, ...more };
}

export function container(name: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: `${name}-${more.attempt ?? 0}`,
    name,
    attempt: 0,
    sandboxId: 's0',
    state: 'running',
    createdAt: 0,
    startedAt: 0,
    image: 'docker.io/library/busybox:latest',
    imageId: 'sha256:1',
    backoffMs: 0,
    ...more,
  };
}

export function exited(name: string, exitCode: number, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return container(name, { state: 'exited', exitCode, finishedAt: 1000, reason, ...more });
}

export function pod(
  containers: readonly ObservedContainer[] = [],
  sandboxes: readonly ObservedSandbox[] = [sandbox()],
): ObservedPod {
  return { containers, sandboxes };
}

export interface SituationInput {
  readonly plan?: Partial<PodPlan>;
  readonly intent?: Partial<Intent>;
  readonly pod?: ObservedPod;
  readonly failures?: Situation['failures'];
  readonly now?: number;
}

export function situation(input: SituationInput): Situation {
  return {
    plan: { restartPolicy: 'Always', initContainers: [], containers: ['main'], graceSeconds: 30, ...input.plan },
    intent: { acceptedAt: 0, podIPs: [], ...input.intent },
    pod: input.pod ?? pod([], []),
    failures: input.failures ?? new Map(),
    now: input.now ?? 2000,
  };
}
