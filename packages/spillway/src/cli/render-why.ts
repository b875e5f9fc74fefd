import { counted } from '../podspec/words.ts';
import type { ExplainedFailure, Explanation } from '../pods/explain.ts';
import type { AnnotationView, Placement, VirtualNodeView, Why } from '../diagnosis/why.ts';
import { quantitiesText } from '../podspec/sizing/shown.ts';
import { reasonSentences } from '../podspec/review/told.ts';
import { type Colour, coloured } from './output.ts';
import { fields, table } from './table.ts';

/** For people: the answer first, then what it rests on. */
export function renderWhy(answer: Why): string {
  const { policy, placement, size, claims = [], annotations = [], backend, backendUnknown } = answer;
  const head: (readonly [string, string])[] = [
    ['Pod', `${answer.namespace}/${answer.name} (${answer.uid}), ${answer.phase}`],
    ['Policy', `${policy.value}, from ${policy.source}`],
    ['Placement', placementText(placement)],
    ...(size ? [['Size', quantitiesText(size)] as const] : []),
    ...claims.map(({ claim, text }) => ['Claim', `${claim}: ${text}`] as const),
    ...annotations.map((each) => ['Annotations', annotationsText(each)] as const),
    ...(answer.virtualNodes ? [['Virtual nodes', nodesText(answer.virtualNodes)] as const] : []),
    ...(backend ? backendFields(backend) : []),
    ...(backendUnknown === undefined ? [] : [['Backend', coloured('yellow', backendUnknown)] as const]),
  ];
  return [
    fields(head),
    ...(backend && backend.timeline.length > 0 ? [`\n${timelineTable(backend)}`] : []),
    ...(answer.events.length > 0 ? [`\n${eventTable(answer)}`] : []),
  ].join('');
}

function placementText(placement: Placement): string {
  switch (placement.kind) {
    case 'bound':
      return `on ${placement.node}, ${placement.virtual ? 'a virtual node: it bursts' : 'a real node'}`;
    case 'gated':
      return `held back by the scheduling gate ${placement.gates.join(', ')}`;
    default: {
      const { scheduler, reason, message } = placement;
      if (reason === undefined) return `no node yet; ${scheduler} has not looked at it`;
      return `no node yet; ${scheduler}: ${coloured('yellow', reason)}${message === undefined ? '' : `, ${message}`}`;
    }
  }
}

function annotationsText({ node, sent, kept }: AnnotationView): string {
  const lines = [
    `${node} is given: ${sent.length === 0 ? 'none' : sent.join(', ')}`,
    ...(kept.length === 0 ? [] : [`stay in this cluster: ${kept.join(', ')}`]),
  ];
  return lines.join('\n');
}

function nodesText(nodes: readonly VirtualNodeView[]): string {
  if (nodes.length === 0) return coloured('yellow', 'there are none; is "spillway serve" running?');
  return nodes
    .map(({ name, ready, taints, burst, reasons }) => {
      const head = [
        coloured(...verdicts[burst]),
        ...(ready ? [] : ['not Ready']),
        ...taints.map((taint) => `closed to schedulers by the taint ${taint}`),
      ];
      return [`${name}: ${head.join('; ')}`, ...reasonSentences(reasons)].join('\n');
    })
    .join('\n');
}

const verdicts: Readonly<Record<VirtualNodeView['burst'], readonly [Colour, string]>> = {
  yes: ['green', 'takes this pod'],
  notNow: ['yellow', 'does not take this pod now'],
  no: ['red', 'cannot run this pod'],
};

function backendFields({ instance, refusals, failures, underWay }: Explanation): (readonly [string, string])[] {
  return [
    ['Instance', underWay === undefined ? instance : `${instance}; in progress: ${underWay}`],
    ...refusals.map(
      ({ code, field, message, remedy }) =>
        ['Refused', `${coloured('red', code)} (${field}): ${message}\n${remedy}`] as const,
    ),
    ...failures.map((failure) => ['Failed', failureText(failure)] as const),
  ];
}

function failureText({ operation, problem, message, remedy, attempts, retryAt }: ExplainedFailure): string {
  const next = retryAt === undefined ? 'no further attempt until the pod changes' : `next attempt at ${retryAt}`;
  const lines = [
    `${operation}, ${counted(attempts, 'attempt')}: ${coloured('red', problem)}: ${message}`,
    remedy,
    next,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

function timelineTable({ timeline }: Explanation): string {
  return table(
    ['STAGE', 'AT', 'SECONDS'],
    timeline.map(({ stage, at, seconds }) => [stage, at, seconds === undefined ? '' : seconds.toFixed(3)]),
  );
}

function eventTable({ events }: Why): string {
  return table(
    ['LAST SEEN', 'TYPE', 'REASON', 'FROM', 'TIMES', 'MESSAGE'],
    events.map(({ at, type, reason, from, count, message }) => [
      at.replace(/\.\d+Z$/, 'Z'),
      type,
      reason,
      from,
      String(count),
      message,
    ]),
  );
}
