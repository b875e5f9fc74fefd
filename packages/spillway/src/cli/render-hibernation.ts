import type { HibernatedWorkload, HibernationReport, ResumedWorkload, ResumeReport } from '../hibernation/report.ts';
import { burstLabels } from '../podspec/contract.ts';
import { counted } from '../podspec/words.ts';
import { coloured } from './output.ts';
import { leftLine, section } from './render-removal.ts';
import { table } from './table.ts';

export function renderHibernation(report: HibernationReport): string {
  const { dryRun, workloads, nodes, endedPods, remains, notes } = report;
  return join([
    workloads.length === 0
      ? ''
      : table(
          ['NAMESPACE', 'WORKLOAD', 'BURST PODS', dryRun ? 'TO BE' : 'IS'],
          workloads.map((each) => [
            each.namespace,
            `${each.kind} ${each.name}`,
            String(each.burstPods),
            changeText(each, report),
          ]),
        ),
    section(dryRun ? 'Virtual nodes to be closed' : 'Closed virtual nodes', 'bold', nodes),
    section(
      dryRun ? 'Pods to be deleted, which nobody gives back' : 'Deleted pods, which nobody gives back',
      'bold',
      endedPods.map(({ namespace, name }) => `${namespace}/${name}`),
    ),
    section('To know', 'yellow', notes),
    section(dryRun ? 'Would remain' : 'Remains', 'red', remains.map(leftLine)),
    `${verdict(report)}\n`,
  ]);
}

function changeText({ change, before, waiting = 0 }: HibernatedWorkload, { dryRun }: HibernationReport): string {
  const waits = waiting === 0 ? '' : `; ${counted(waiting, 'pod')} would stay Pending for lack of room`;
  switch (change) {
    case 'scale':
      return `scaled to 0${before.replicas === undefined ? '' : `, from ${before.replicas}`}`;
    case 'suspend':
      return 'suspended';
    case 'move':
      return `on the nodes of the cluster${waits}`;
    case 'restart':
      return `on the nodes of the cluster, restarted with ${burstLabels[0]}=off${waits}`;
    case 'relabel':
      return `labelled ${burstLabels[0]}=off`;
    default:
      return dryRun ? 'left as it is' : 'as it was';
  }
}

function verdict({ dryRun, clusterId, workloads, nodes, remains }: HibernationReport): string {
  const left = counted(remains.length, 'thing');
  if (dryRun) {
    if (workloads.length + nodes.length + remains.length === 0) return 'There is nothing to hibernate.';
    return remains.length === 0
      ? 'Nothing was changed.'
      : coloured('red', `Nothing was changed. ${left} would go on running.`);
  }
  return remains.length === 0
    ? coloured(
        'green',
        `Nothing of this runs on a backend any more (cluster ${clusterId}). "spillway resume" undoes it.`,
      )
    : coloured('red', `${left} still run. Run the same command again when the reasons are gone.`);
}

export function renderResume({ dryRun, nodes, workloads, remains, notes }: ResumeReport): string {
  return join([
    workloads.length === 0
      ? ''
      : table(
          ['NAMESPACE', 'WORKLOAD', dryRun ? 'TO BE GIVEN BACK' : 'GIVEN BACK'],
          workloads.map((each) => [each.namespace, `${each.kind} ${each.name}`, givenText(each)]),
        ),
    section(dryRun ? 'Virtual nodes to be opened' : 'Opened virtual nodes', 'bold', nodes),
    section('To know', 'yellow', notes),
    section('Remains', 'red', remains.map(leftLine)),
    `${resumeVerdict(dryRun, workloads, nodes, remains.length)}\n`,
  ]);
}

function givenText({ restored: { replicas, suspended, label }, kept }: ResumedWorkload): string {
  const parts = [
    ...(replicas === undefined ? [] : [counted(replicas, 'replica')]),
    ...(suspended === undefined ? [] : ['no longer suspended']),
    ...(label === undefined ? [] : [label === null ? 'no burst label' : `${burstLabels[0]}=${label}`]),
    ...kept.map((why) => `left as it is: ${why}`),
  ];
  return parts.join(', ') || 'nothing: it is as it was';
}

function resumeVerdict(
  dryRun: boolean,
  workloads: readonly ResumedWorkload[],
  nodes: readonly string[],
  remains: number,
): string {
  if (workloads.length + nodes.length + remains === 0) return 'Nothing hibernates.';
  if (dryRun) return 'Nothing was changed.';
  return remains === 0
    ? coloured('green', 'Everything was given back.')
    : coloured(
        'red',
        `${counted(remains, 'workload')} could not be given back. Run the same command again when the reasons are gone.`,
      );
}

const join = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n');
