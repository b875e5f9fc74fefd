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
  readonly refusals: readonly {
    readonly code?: string;
    readonly field?: string;
    readonly message: string;
    readonly remedy: string;
  }[];
  readonly warnings: readonly string[];
}

/** Asks every pool; pure, because nothing is waited for while a request is answered. */
export type ReviewPod = (pod: Pod) => readonly PoolReview[];

/**
 * Tells who applies a workload or a pod what bursting will mean for it, and refuses what was told to burst and never could. Of
 * a change only what it brings in is refused: what was there before may stay, be scaled down and be deleted.
 */
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
  const able = reviews.filter(isAble);
  if (able.length > 0 || reviews.length === 0) {
    return { allowed: true, warnings: [...restartWarnings(subject), ...sizeWarnings(subject.object, able)] };
  }
  const before = label.value === 'enforce' ? refusedBefore(subject, review) : new Set();
  const brought = refusalsIn(reviews).filter(({ key }) => !before.has(key));
  if (label.value === 'enforce' && brought.length > 0) {
    const reasons = brought.map(({ reason }) => reason).join('; ');
    return { allowed: false, message: `the pods must burst, and no pool can run them: ${reasons}` };
  }
  return {
    allowed: true,
    warnings: [...restartWarnings(subject), ...refusalsIn(reviews).map(({ reason }) => `will not burst: ${reason}`)],
  };
}

const isAble = ({ refusals }: PoolReview): boolean => refusals.length === 0;

/** `key`: what is refused, whatever the numbers in the sentence are. */
function refusalsIn(reviews: readonly PoolReview[]): readonly { readonly key: string; readonly reason: string }[] {
  return reviews.flatMap(({ pool, refusals }) =>
    refusals.map(({ code, field = '', message, remedy }) => ({
      key: `${pool} ${code ?? message} ${field}`,
      reason: `pool ${pool}: ${message}. ${remedy}`,
    })),
  );
}

/** What kept the pods from bursting before the change, if they had to then, too. All pools refused them, or none counts. */
function refusedBefore({ oldObject }: Subject, review: ReviewPod): ReadonlySet<string> {
  const pod = oldObject === undefined ? undefined : podOf(oldObject);
  const label = burstLabelOf(pod?.metadata?.labels);
  if (pod === undefined || label.kind !== 'valid' || label.value !== 'enforce') return new Set();
  const reviews = review(pod);
  return reviews.some(isAble) ? new Set() : new Set(refusalsIn(reviews).map(({ key }) => key));
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
