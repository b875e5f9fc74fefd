import {
  controllerOf,
  type CronJob,
  type Deployment,
  type Job,
  type KubeObject,
  nameOf,
  namespaceOf,
  type Pod,
  type PodTemplateSpec,
  type ReplicaSet,
  type StatefulSet,
  uidOf,
} from '@spillway/kube';
import { profileFor } from '../placement/rules/adopt-profile.ts';
import type { ScheduleProfile } from '../placement/rules/schedule-profile.ts';
import { burstLabelOf, burstLabels, type BurstValue } from '../podspec/contract.ts';
import { type WorkloadRecord, workloadRecordOf } from '../podspec/hibernation.ts';
import { isOfProduct } from '../podspec/installation.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'ReplicaSet' | 'Job' | 'CronJob';

/** As the API server shows it, with its kind. */
export type WorkloadObject = (Deployment | StatefulSet | ReplicaSet | Job | CronJob) & { readonly kind: WorkloadKind };

/** What decides about a workload when an installation hibernates, and is given back when it resumes. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  /** Absent: of a kind that is suspended instead. */
  readonly replicas?: number;
  /** How many pods it still has, as its controller says, wherever they are. */
  readonly present: number;
  /** As many of these are ready. */
  readonly ready: number;
  /** Absent: of a kind that is scaled instead. */
  readonly suspended?: boolean;
  /** A Job of which nothing runs or will run. */
  readonly ended: boolean;
  /** The burst label of its pod template, as it is now. */
  readonly label: string | undefined;
  /** How its pods burst, while it does not hibernate; `own`: by what their author has written into them. Absent: they do not. */
  readonly burst: Exclude<BurstValue, 'off'> | 'own' | undefined;
  /** Somebody who may undo what is done to it: `Prometheus k8s`. */
  readonly controller: string | undefined;
  readonly record: WorkloadRecord | undefined;
  /** Its pods that run on virtual nodes. */
  readonly pods: readonly Pod[];
  /** A pod that it makes. */
  readonly template: Pod;
}

export interface WorkloadFacts {
  readonly profiles: readonly ScheduleProfile[];
  /** Keys of the taints of the virtual nodes. */
  readonly taintKeys: ReadonlySet<string>;
  /** On virtual nodes, by the UID of the workload that has made them. */
  readonly podsOf: (uid: string) => readonly Pod[];
}

/** Of a workload that is nobody's part: not a ReplicaSet of a Deployment, and nothing of Spillway. */
export function isWhole(object: WorkloadObject): boolean {
  return !isOfProduct(object.metadata?.labels) && !isOfDeployment(object);
}

export const isOfDeployment = (object: KubeObject): boolean =>
  object.kind === 'ReplicaSet' && controllerOf(object)?.kind === 'Deployment';

export function workloadOf(object: WorkloadObject, { profiles, taintKeys, podsOf }: WorkloadFacts): Workload {
  const namespace = namespaceOf(object);
  const record = workloadRecordOf(object);
  const { metadata = {}, spec } = templateOf(object) ?? {};
  const label = metadata.labels?.[burstLabels[0]];
  const isOff = record?.label !== undefined && label === 'off';
  const labels = isOff ? withLabel(metadata.labels, record.label) : metadata.labels;
  const template: Pod = {
    kind: 'Pod',
    metadata: { ...metadata, namespace, ...(labels && { labels }) },
    ...(spec && { spec }),
  };
  const pods = podsOf(uidOf(object));
  const local = profiles.filter((profile) => namespaceOf(profile) === namespace);
  const owner = controllerOf(object);
  return {
    kind: object.kind,
    namespace,
    name: nameOf(object),
    uid: uidOf(object),
    version: object.metadata?.resourceVersion ?? '',
    ...amountOf(object),
    ...countsOf(object),
    ended: object.kind === 'Job' && isEnded(object),
    label,
    burst: burstOf(template, local, taintKeys) ?? (pods.length > 0 ? 'own' : undefined),
    // The Jobs of a CronJob are suspended like any other, and it does not mind.
    controller: owner === undefined || owner.kind === 'CronJob' ? undefined : `${owner.kind} ${owner.name}`,
    record,
    pods,
    template,
  };
}

function amountOf(object: WorkloadObject): Pick<Workload, 'replicas' | 'suspended'> {
  const spec: { replicas?: number; suspend?: boolean } = object.spec ?? {};
  return object.kind === 'Job' || object.kind === 'CronJob'
    ? { suspended: spec.suspend === true }
    : { replicas: spec.replicas ?? 1 };
}

function countsOf({ status }: WorkloadObject): Pick<Workload, 'present' | 'ready'> {
  if (status === undefined || !('replicas' in status)) return { present: 0, ready: 0 };
  return { present: status.replicas ?? 0, ready: status.readyReplicas ?? 0 };
}

function templateOf(object: WorkloadObject): PodTemplateSpec | undefined {
  const { spec } = object;
  if (spec === undefined) return undefined;
  return 'jobTemplate' in spec ? spec.jobTemplate.spec?.template : spec.template;
}

function isEnded({ status }: Job): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
}

function burstOf(
  template: Pod,
  profiles: readonly ScheduleProfile[],
  taintKeys: ReadonlySet<string>,
): Workload['burst'] {
  const label = burstLabelOf(template.metadata?.labels);
  if (label.kind === 'valid') return label.value === 'off' ? undefined : label.value;
  const strategy = profileFor(template, profiles)?.spec.strategy;
  if (strategy !== undefined) return strategy;
  const isLetIn = template.spec?.tolerations?.some(({ key = '' }) => taintKeys.has(key)) === true;
  return isLetIn ? 'own' : undefined;
}

function withLabel(labels: Readonly<Record<string, string>> = {}, value: string | null): Record<string, string> {
  const { [burstLabels[0]]: _, ...others } = labels;
  return value === null ? others : { ...others, [burstLabels[0]]: value };
}
