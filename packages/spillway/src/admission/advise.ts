import { controllerOf, type KubeObject } from '@spillway/kube';
import { holds, type Subject } from '../placement/rules/conditions.ts';
import { type MonitorPort, monitorPortsOf } from '../load-balancers/monitor-port.ts';
import { podOf, replicasOf } from '../placement/rules/workload.ts';
import { burstLabelOf, burstLabels } from '../podspec/contract.ts';
import { type AskPools, type Fits, type Pool, type PoolFit, refusedByAll } from '../podspec/fit/fit.ts';
import type { Reason } from '../podspec/review/refusal.ts';
import { poolSentences } from '../podspec/review/told.ts';
import { sizeText } from '../podspec/sizing/shown.ts';
import { counted } from '../podspec/words.ts';
import type { AdmissionRequest, AdmissionResponse } from './admission-review.ts';
import { subjectOf } from './mutate.ts';

/**
 * Tells who applies a workload or a pod what bursting will mean for it, and refuses what was told to burst and never could. Of
 * a change only what it brings in is refused: what was there before may stay, be scaled down and be deleted.
 */
export function advise(request: AdmissionRequest, ask: AskPools): AdmissionResponse {
  const subject = subjectOf(request);
  if (subject === undefined) return { allowed: true };
  const ports = monitorPortsOf(subject.object);
  if (ports.length > 0) return { allowed: true, warnings: ports.map(monitorPortWarning) };
  const pod = podOf(subject.object);
  const label = burstLabelOf(pod?.metadata?.labels);
  if (pod === undefined || label.kind !== 'valid' || label.value === 'off') {
    return { allowed: true, warnings: restartWarnings(subject) };
  }
  const answers = ask(pod);
  if (label.value === 'enforce') {
    const brought = broughtIn(refusedByAll(answers), refusedBefore(subject, ask));
    if (brought.size > 0) return { allowed: false, message: [nowhereElse, ...poolSentences(brought)].join(' ') };
  }
  return { allowed: true, warnings: [...restartWarnings(subject), ...burstWarnings(subject.object, answers)] };
}

const nowhereElse = `No pool runs the pods as they are, and with ${burstLabels[0]}=enforce they run nowhere else.`;
const notAtAll = 'the pods will not burst, because no pool runs them as they are';

type ReasonsByPool = ReadonlyMap<string, readonly Reason[]>;

/** What kept the pods from bursting before the change, if they had to then, too. */
function refusedBefore({ oldObject }: Subject, ask: AskPools): ReasonsByPool {
  const pod = oldObject === undefined ? undefined : podOf(oldObject);
  const label = burstLabelOf(pod?.metadata?.labels);
  if (pod === undefined || label.kind !== 'valid' || label.value !== 'enforce') return new Map();
  return refusedByAll(ask(pod));
}

/** The same is refused whatever the numbers in the sentence are. */
function broughtIn(now: ReasonsByPool, before: ReasonsByPool): ReasonsByPool {
  const brought = Array.from(now, ([pool, reasons]) => {
    const isNew = ({ code, field }: Reason): boolean =>
      before.get(pool)?.some((known) => known.code === code && known.field === field) !== true;
    return [pool, reasons.filter(isNew)] as const;
  });
  return new Map(brought.filter(([, reasons]) => reasons.length > 0));
}

const monitorPortWarning = ({ annotation, port }: MonitorPort): string =>
  `${annotation} makes the load balancer probe port ${port}: burst pods register another one, so leave monitor_port out if pods behind it burst`;

function restartWarnings(subject: Subject): readonly string[] {
  const { object, operation } = subject;
  const restarts = object.kind === 'Deployment' || object.kind === 'StatefulSet';
  if (operation !== 'UPDATE' || !restarts || !holds({ type: 'labelChanged' }, subject)) return [];
  const pods = replicasOf(object);
  if (pods === 0) return [];
  return [`the changed burst label goes into the pod template: this restarts ${counted(pods, 'pod')}`];
}

function burstWarnings(object: KubeObject, answers: readonly PoolFit[]): readonly string[] {
  const misfits = answers.flatMap(({ pool, fit }) => (fit.kind === 'fits' ? [] : [[pool.name, fit.reasons] as const]));
  if (misfits.length === answers.length)
    return misfits.length === 0 ? [] : [notAtAll, ...poolSentences(new Map(misfits))];
  // Pods of a workload come later and by themselves.
  if (object.kind === 'Pod' && controllerOf(object) !== undefined) return [];
  const fits = answers.flatMap(({ pool, fit }) => (fit.kind === 'fits' ? [{ pool, fit }] : []));
  return [
    ...fits.flatMap(({ pool, fit }) => sizeWarnings(object, pool, fit)),
    ...poolSentences(new Map(fits.map(({ pool, fit }) => [pool.name, fit.adaptations]))),
  ];
}

/** Pods that run as they are written have no size of their own to tell. */
function sizeWarnings(object: KubeObject, { name }: Pool, { sized }: Fits): readonly string[] {
  if (sized.ruleSet === 'none') return [];
  const pods = burstingOf(replicasOf(object));
  return [
    `${pods} may burst to pool ${name}, billed as ${sizeText(sized.pod)} each (before changes by other webhooks)`,
  ];
}

function burstingOf(replicas: number): string {
  return replicas === 1 ? 'one pod' : `up to ${replicas} pods`;
}
