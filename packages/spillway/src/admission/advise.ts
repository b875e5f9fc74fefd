import { controllerOf, type KubeObject, type Pod } from '@spillway/kube';
import { holds, type Subject } from '../placement/rules/conditions.ts';
import { type MonitorPort, monitorPortsOf } from '../load-balancers/monitor-port.ts';
import { podOf, replicasOf } from '../placement/rules/workload.ts';
import { burstLabelOf } from '../podspec/contract.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';
import { subjectOf } from './mutate.ts';

/** What a pool says about a pod that may burst to it. */
export interface PoolReview {
  readonly pool: string;
  /** What would be billed for each pod, for people, e.g. "0.5 CPU, 1 GiB". Absent: the pool does not say. */
  readonly size?: string;
  /** Empty: the pod can run there. */
  readonly refusals: readonly { readonly message: string; readonly remedy: string }[];
  readonly warnings: readonly string[];
}

/** Asks every pool; pure, because nothing is waited for while a request is answered. */
export type ReviewPod = (pod: Pod) => readonly PoolReview[];

/** Tells who applies a workload or a pod what bursting will mean for it, and refuses what was told to burst and never could. */
export function advise(request: AdmissionRequest, review: ReviewPod): AdmissionResponse {
  const subject = subjectOf(request);
  if (subject === undefined) return { allowed: true };
  const ports = monitorPortsOf(subject.object);
  if (ports.length > 0) return { allowed: true, warnings: ports.map(monitorPortWarning) };
  const pod = podOf(subject.object);
  const label = burstLabelOf(pod?.metadata?.labels);
  if (pod === undefined || label.kind !== 'valid' || label.value === 'off') {
    return { allowed: true, warnings: restartWarnings(subject) };
  }
  const reviews = review(pod);
  const able = reviews.filter(({ refusals }) => refusals.length === 0);
  const reasons = reviews.flatMap(({ pool, refusals }) =>
    refusals.map(({ message, remedy }) => `pool ${pool}: ${message}. ${remedy}`),
  );
  if (able.length > 0 || reviews.length === 0) {
    return { allowed: true, warnings: [...restartWarnings(subject), ...sizeWarnings(subject.object, able)] };
  }
  if (label.value === 'enforce') {
    return { allowed: false, message: `the pods must burst, and no pool can run them: ${reasons.join('; ')}` };
  }
  return {
    allowed: true,
    warnings: [...restartWarnings(subject), ...reasons.map((reason) => `will not burst: ${reason}`)],
  };
}

const monitorPortWarning = ({ annotation, port }: MonitorPort): string =>
  `${annotation} makes the load balancer probe port ${port}: burst pods register another one, so leave monitor_port out if pods behind it burst`;

function restartWarnings(subject: Subject): readonly string[] {
  const { object, operation } = subject;
  const restarts = object.kind === 'Deployment' || object.kind === 'StatefulSet';
  if (operation !== 'UPDATE' || !restarts || !holds({ type: 'labelChanged' }, subject)) return [];
  return [`the changed burst label goes into the pod template: this restarts ${replicasOf(object)} pods`];
}

/** For workloads; their pods come later and by themselves. */
function sizeWarnings(object: KubeObject, reviews: readonly PoolReview[]): readonly string[] {
  if (object.kind === 'Pod' && controllerOf(object) !== undefined) return [];
  return reviews.flatMap(({ pool, size, warnings }) => [
    ...(size === undefined
      ? []
      : [
          `${burstingOf(replicasOf(object))} may burst to pool ${pool}, billed as ${size} each (before changes by other webhooks)`,
        ]),
    ...warnings.map((warning) => `pool ${pool}: ${warning}`),
  ]);
}

function burstingOf(replicas: number): string {
  return replicas === 1 ? 'one pod' : `up to ${replicas} pods`;
}
