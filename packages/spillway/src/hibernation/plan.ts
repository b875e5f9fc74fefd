import { burstLabels } from '../podspec/contract.ts';
import { type HibernationTarget, hibernationAnnotation, type WorkloadRecord } from '../podspec/hibernation.ts';
import type { Workload } from './workload.ts';

// What is to be done with a workload follows from how it is and from its record alone, so that whoever is killed is followed by
// one who goes on.

export interface Wish {
  readonly to: HibernationTarget;
  /** The virtual nodes take no pods: nobody has to be told to keep away from them, except those who go nowhere else. */
  readonly closed: boolean;
  /** RFC 3339. */
  readonly now: string;
}

/**
 * - `scale`, `suspend`: it has no pods
 * - `move`: its pods on virtual nodes end, and it makes others, which find nodes of the cluster or wait
 * - `restart`: the same, and all of them: its pod template is to say `off`
 * - `relabel`: that, and none of its pods is on a virtual node
 */
export type Intent = 'scale' | 'suspend' | 'move' | 'restart' | 'relabel' | 'none';

/** Fields of a workload, null: a label that is taken away. */
export interface Change {
  readonly replicas?: number;
  readonly suspend?: boolean;
  readonly label?: string | null;
}

export type Step =
  | { readonly kind: 'change'; readonly change: Change; readonly record: WorkloadRecord | undefined }
  /** Those on virtual nodes. */
  | { readonly kind: 'endPods' }
  /** Until they have ended. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'done' };

export function intentOf(workload: Workload, wish: Wish): Intent {
  const { kind, burst, ended, record } = workload;
  if (burst === undefined || ended) return 'none';
  if (wish.to === 'zero') {
    if (kind === 'Job' || kind === 'CronJob') {
      return workload.suspended === true && record?.suspended === undefined ? 'none' : 'suspend';
    }
    return workload.replicas === 0 && record?.replicas === undefined ? 'none' : 'scale';
  }
  const relabels = burst === 'enforce' || !wish.closed;
  // The pod template of a Job cannot change.
  if (kind === 'Job' && relabels) return workload.suspended && record?.suspended === undefined ? 'none' : 'suspend';
  const hasPods = workload.pods.length > 0 || record?.replicas !== undefined;
  if (relabels) return hasPods ? 'restart' : 'relabel';
  return hasPods || record?.suspended !== undefined ? 'move' : 'none';
}

export function nextStep(workload: Workload, wish: Wish): Step {
  const { kind, label, pods, present, record, replicas = 0, suspended } = workload;
  const held: WorkloadRecord = { since: wish.now, ...record };
  const hasPods = pods.length > 0;
  switch (intentOf(workload, wish)) {
    case 'scale':
      if (replicas > 0) return change({ replicas: 0 }, { ...held, replicas });
      break;
    case 'suspend':
      if (!suspended) return change({ suspend: true }, { ...held, suspended: true });
      break;
    case 'move':
      if (!hasPods) return givenBack(workload);
      if (kind === 'Job') {
        // Pods of a Job that are deleted count as failed; those of one that is suspended do not.
        if (!suspended) return change({ suspend: true }, { ...held, suspended: true });
      } else if (replicas > 0) return { kind: 'endPods' };
      break;
    case 'restart':
    case 'relabel': {
      const scales = hasPods && replicas > 0;
      const isOff = label === 'off';
      // A StatefulSet goes on with the template before as long as one of its pods is not ready: it has to end them all.
      if (scales || !isOff) {
        return change(
          { ...(scales && { replicas: 0 }), ...(!isOff && { label: 'off' }) },
          { ...held, ...(scales && { replicas }), ...(!isOff && { label: label ?? null }) },
        );
      }
      return hasPods || (replicas === 0 && present > 0) ? { kind: 'wait' } : givenBack(workload);
    }
    default:
  }
  return hasPods ? { kind: 'wait' } : { kind: 'done' };
}

const change = (fields: Change, record: WorkloadRecord | undefined): Step => ({
  kind: 'change',
  change: fields,
  record,
});

/** Of what it had to give while its pods ended. */
function givenBack({ record, replicas, suspended }: Workload): Step {
  if (record?.replicas === undefined && record?.suspended === undefined) return { kind: 'done' };
  const { since, label } = record;
  return change(
    {
      ...(record.replicas !== undefined && replicas === 0 && { replicas: record.replicas }),
      ...(record.suspended && suspended && { suspend: false }),
    },
    label === undefined ? undefined : { since, label },
  );
}

export interface Return {
  readonly change: Change;
  /** What is left to be given back by a later step. */
  readonly record: WorkloadRecord | undefined;
  /** What somebody has changed in between, and keeps. */
  readonly kept: readonly string[];
}

/**
 * What is given back next, except where the workload is not as hibernation has left it.
 * @returns 'wait': its pods have to end before
 */
export function nextReturn(workload: Workload): Return | 'wait' {
  const { kind, record, replicas = 0, suspended, label, ended, present, ready } = workload;
  const kept: string[] = [];
  const fields: { replicas?: number; suspend?: boolean; label?: string | null } = {};
  if (record?.label !== undefined && record.label !== (label ?? null)) {
    if (label === 'off') fields.label = record.label;
    else kept.push(`the burst label of its pods is ${said(label)} now, and was ${said(record.label)}`);
  }
  if (record?.suspended && suspended) {
    if (ended) kept.push('it has ended');
    else fields.suspend = false;
  }
  const before = record?.replicas;
  if (before !== undefined && replicas > 0 && replicas !== before) {
    kept.push(`it has ${replicas} replicas now, and had ${before}`);
  }
  // A StatefulSet makes no pod by its new template as long as one by the template before is not ready.
  if (record !== undefined && kind === 'StatefulSet' && ready < present) {
    if (fields.label !== undefined) {
      const later = { since: record.since, replicas: replicas > 0 ? replicas : (before ?? 0) };
      return { change: { ...fields, replicas: 0 }, record: later, kept };
    }
    if (before !== undefined && replicas === 0) return 'wait';
  }
  if (before !== undefined && before > 0 && replicas === 0) fields.replicas = before;
  return { change: fields, record: undefined, kept };
}

const said = (label: string | null | undefined): string => (label ? `"${label}"` : 'not set');

/** A merge patch that changes nothing if the workload is no longer as it was seen. */
export function patchOf(
  { kind, version, uid }: Workload,
  { replicas, suspend, label }: Change,
  record: WorkloadRecord | undefined,
): object {
  const template = { template: { metadata: { labels: { [burstLabels[0]]: label } } } };
  const ofTemplate = kind === 'CronJob' ? { jobTemplate: { spec: template } } : template;
  return {
    metadata: {
      uid,
      resourceVersion: version,
      annotations: { [hibernationAnnotation]: record === undefined ? null : JSON.stringify(record) },
    },
    spec: {
      ...(replicas !== undefined && { replicas }),
      ...(suspend !== undefined && { suspend }),
      ...(label !== undefined && ofTemplate),
    },
  };
}
