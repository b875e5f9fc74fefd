import { revisionOf } from '../../podspec/travelling.ts';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '@spillway/kube';
import type { Instance } from '../../backends/backend.ts';

// Pods and instances for tests.

export const startOfTime: number = Date.parse('2026-01-01T00:00:00Z');

export interface PodOptions {
  readonly uid?: string;
  readonly name?: string;
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
  readonly metadata?: Pod['metadata'];
}

export function testPod({ uid = 'uid-1', name = 'web-0', spec = {}, status, metadata }: PodOptions = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { uid, name, namespace: 'default', generation: 1, ...metadata },
    spec: {
      nodeName: 'virtual-kubelet',
      containers: [{ name: 'app', image: 'centos:latest' }],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      ...spec,
    },
    status: status ?? { phase: 'Pending' },
  };
}

export function deleted(pod: Pod, atMs: number, graceSeconds = 30): Pod {
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      deletionTimestamp: new Date(atMs + graceSeconds * 1000).toISOString(),
      deletionGracePeriodSeconds: graceSeconds,
    },
  };
}

export function running(name: string, startedAt = '2026-01-01T00:00:01Z'): ContainerStatus {
  return {
    name,
    image: 'centos:latest',
    imageID: 'sha256:1',
    containerID: `test://${name}`,
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt } },
  };
}

export function waiting(name: string, reason = 'ContainerCreating'): ContainerStatus {
  return {
    name,
    image: 'centos:latest',
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
  };
}

export function exited(name: string, exitCode = 0): ContainerStatus {
  return {
    name,
    image: 'centos:latest',
    imageID: 'sha256:1',
    containerID: `test://${name}`,
    ready: false,
    started: false,
    restartCount: 0,
    state: {
      terminated: {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt: '2026-01-01T00:00:01Z',
        finishedAt: '2026-01-01T00:00:02Z',
        containerID: `test://${name}`,
      },
    },
  };
}

export function testInstance(pod: Pod, more: Partial<Instance> = {}): Instance {
  const { uid = '', namespace = '', name = '' } = pod.metadata ?? {};
  return {
    ref: { uid, namespace, name },
    state: 'running',
    podIPs: ['10.1.0.5'],
    startTime: '2026-01-01T00:00:00Z',
    revision: revisionOf(pod),
    initContainerStatuses: [],
    containerStatuses: (pod.spec?.containers ?? []).map((container) => running(container.name)),
    ...more,
  };
}

/** The pod as it is in the cluster once the status is written. */
export function withStatus(pod: Pod, status: PodStatus): Pod {
  const conditions = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  for (const condition of status.conditions ?? []) conditions.set(condition.type, condition);
  return { ...pod, status: { ...pod.status, ...status, conditions: [...conditions.values()] } };
}
