import type { Node, Pod, PodCondition, PodSpec, PodStatus } from '@spillway/kube';

// Pods and nodes for tests.

export interface PodOptions {
  readonly uid?: string;
  readonly metadata?: Pod['metadata'];
  readonly burst?: string;
  readonly spec?: Partial<PodSpec>;
  readonly status?: PodStatus;
}

export function testPod({ uid = 'uid-1', metadata, burst, spec, status }: PodOptions = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-${uid}`,
      namespace: 'default',
      uid,
      resourceVersion: '7',
      labels: burst === undefined ? {} : { 'virtual-kubelet.io/burst-to-cci': burst },
      ...metadata,
    },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'app', image: 'nginx', resources: { requests: { cpu: '500m', memory: '1Gi' } } }],
      ...spec,
    },
    status: status ?? { phase: 'Pending' },
  };
}

/** As the scheduler leaves a pod that it has given up on. */
export function unschedulable(pod: Pod, since = '2026-01-01T00:00:00Z', more: PodStatus = {}): Pod {
  const condition: PodCondition = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    lastTransitionTime: since,
  };
  return { ...pod, status: { phase: 'Pending', ...more, conditions: [condition] } };
}

export function realNode(name = 'node-1', { spec = {}, labels = {} }: NodeOptions = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
  };
}

export interface NodeOptions {
  readonly spec?: Node['spec'];
  readonly labels?: Readonly<Record<string, string>>;
  readonly allocatable?: Readonly<Record<string, string>>;
}

export function virtualNode(name = 'vk', { spec, labels, allocatable }: NodeOptions = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { type: 'virtual-kubelet', 'kubernetes.io/hostname': name, ...labels } },
    spec: {
      taints: [
        { key: 'virtual-kubelet.io/burst-to-cci', value: 'cci', effect: 'NoSchedule' },
        { key: 'virtual-kubelet.io/huawei', effect: 'PreferNoSchedule' },
        ...(spec?.taints ?? []),
      ],
      ...(spec?.unschedulable === undefined ? {} : { unschedulable: spec.unschedulable }),
    },
    status: { allocatable: { cpu: '10', memory: '40Gi', pods: '100', ...allocatable } },
  };
}
