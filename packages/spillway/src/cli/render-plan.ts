import { quantitiesText } from '../podspec/sizing/shown.ts';
import { counted } from '../podspec/words.ts';
import type { Plan, WorkloadPlan } from '../diagnosis/plan/plan.ts';
import type { PlanReason, PoolPlan } from '../diagnosis/plan/pool-plan.ts';
import { writeText } from './write-text.ts';
import { type Colour, coloured } from './output.ts';
import { fields, table } from './table.ts';

/** For people: each workload with its pools, then what is not said. */
export function renderPlan({ workloads, notConcerned, remarks }: Plan): string {
  const blocks = workloads.map(workloadText);
  if (notConcerned.length > 0) blocks.push(`Not affected: ${notConcerned.join(', ')}\n`);
  if (blocks.length === 0) return 'The manifest contains no objects.\n';
  if (remarks.length > 0) blocks.push(remarks.map((remark) => `${coloured('dim', remark)}\n`).join(''));
  return blocks.join('\n');
}

function workloadText({
  object,
  replicas,
  policy,
  refused,
  writes,
  claims = [],
  pools,
  forecast,
}: WorkloadPlan): string {
  const head: (readonly [string, string])[] = [
    ['Workload', `${coloured('bold', object)}, ${counted(replicas, 'pod')}`],
    ['Policy', `${policy.value}, from ${policy.source}`],
    ...refused.map((message) => ['Refused', coloured('red', message)] as const),
    ...(writes.length > 0 ? [['Admission', writes.map(writeText).join('\n')] as const] : []),
    ...claims.map(({ claim, text }) => ['Claim', `${claim}: ${text}`] as const),
    ...(forecast
      ? [['Forecast', `${forecast.local} local, ${forecast.burst} burst, ${forecast.waiting} waiting`] as const]
      : []),
    ...pools.flatMap(({ pool, addedContainers = 0 }) =>
      addedContainers > 0 ? [[`Pool ${pool}`, agentText] as const] : [],
    ),
    ...pools.flatMap(({ pool, reasons }) => reasons.map((reason) => [`Pool ${pool}`, reasonText(reason)] as const)),
    ...(pools.length === 0 && refused.length === 0 ? [['Pools', coloured('yellow', 'there is none')] as const] : []),
  ];
  return `${fields(head)}${pools.length === 0 ? '' : `\n${poolTable(pools)}`}`;
}

const agentText =
  'each pod also runs the link agent, which has no requests and counts among the containers of the pod (interconnect: agent)';

function reasonText({ code, field, container, message, remedy }: PlanReason): string {
  const place = [field, ...(container === undefined ? [] : [`container ${container}`])].join(', ');
  return `${coloured('yellow', code)}${field === undefined ? '' : ` (${place})`}: ${message}\n${remedy}`;
}

const verdicts: Readonly<Record<PoolPlan['burst'], readonly [Colour, string]>> = {
  yes: ['green', 'yes'],
  notNow: ['yellow', 'not now'],
  no: ['red', 'no'],
};

function poolTable(pools: readonly PoolPlan[]): string {
  return table(
    ['POOL', 'NODE', 'MAY BURST', 'BILLED PER POD', 'SPECIFIED'],
    pools.map(({ pool, node, burst, size }) => [
      pool,
      node,
      coloured(...verdicts[burst]),
      size === undefined ? '-' : quantitiesText(size.billed),
      size === undefined ? '-' : quantitiesText(size.written),
    ]),
  );
}
