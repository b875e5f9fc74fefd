import type { Pod } from '@spillway/kube';
import { burstLabels } from '../../podspec/contract.ts';
import type { WorkloadKind, WorkloadObject } from '../workload.ts';

export interface Given {
  readonly name?: string;
  readonly replicas?: number;
  readonly suspend?: boolean;
  /** Burst label of the pod template. */
  readonly label?: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string };
}

/** A workload in `shop` as the API server shows it. */
export function workload(kind: WorkloadKind, given: Given = {}): WorkloadObject {
  const { name = 'web', replicas = 3, suspend = false, label, labels = {}, annotations = {}, owner } = given;
  const metadata = {
    namespace: 'shop',
    name,
    uid: `uid of ${kind} ${name}`,
    resourceVersion: '7',
    labels: { ...labels },
    annotations: { ...annotations },
    ...(owner && { ownerReferences: [{ apiVersion: 'v1', controller: true, ...owner }] }),
  };
  const template = {
    metadata: { labels: { app: name, ...(label !== undefined && { [burstLabels[0]]: label }) } },
    spec: { containers: [{ name: 'main', image: 'a' }] },
  };
  const selector = { matchLabels: { app: name } };
  switch (kind) {
    case 'Job':
      return { kind, metadata, spec: { suspend, template } };
    case 'CronJob':
      return { kind, metadata, spec: { schedule: '@daily', suspend, jobTemplate: { spec: { template } } } };
    case 'StatefulSet':
      return { kind, metadata, spec: { replicas, selector, serviceName: name, template } };
    default:
      return { kind, metadata, spec: { replicas, selector, template } };
  }
}

/** A pod on a virtual node. */
export function burstPod(name: string, owner?: Given['owner'], phase = 'Running'): Pod {
  const controller = owner && { ownerReferences: [{ apiVersion: 'v1', controller: true, ...owner }] };
  return {
    kind: 'Pod',
    metadata: { namespace: 'shop', name, uid: `uid of ${name}`, ...controller },
    spec: { nodeName: 'virtual', containers: [{ name: 'main', image: 'a' }] },
    status: { phase },
  };
}
