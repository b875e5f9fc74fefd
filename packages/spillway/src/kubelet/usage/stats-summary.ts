import { setImmediate } from 'node:timers/promises';
import type { Figures } from '../../usage/figures.ts';
import type { MeasuredPod } from './measured-pods.ts';

export interface SummaryNode {
  readonly nodeName: string;
  /** Since when it counts, in milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly total: Figures | undefined;
}

const podsAtOnce = 100;

/** `/stats/summary`: a Summary of stats/v1alpha1 as JSON, in pieces between which others get their turn. */
export async function* statsSummary(
  { nodeName, startedAtMs, total }: SummaryNode,
  pods: readonly MeasuredPod[],
): AsyncGenerator<string, void, undefined> {
  const node = { nodeName, startTime: time(startedAtMs), ...stats(total) };
  yield `{"node":${JSON.stringify(node)},"pods":[`;
  for (let first = 0; first < pods.length; first += podsAtOnce) {
    const some = pods.slice(first, first + podsAtOnce).map((pod) => JSON.stringify(podStats(pod)));
    yield `${first === 0 ? '' : ','}${some.join(',')}`;
    await setImmediate();
  }
  yield ']}\n';
}

function podStats({ namespace, name, uid, startedAt, containers, figures }: MeasuredPod): object {
  return {
    podRef: { name, namespace, uid },
    startTime: startedAt,
    containers: containers.map((container) => ({
      name: container.name,
      startTime: time(container.startedAtMs),
      ...stats(container.figures),
    })),
    ...stats(figures),
  };
}

function stats(figures: Figures | undefined): object {
  if (figures === undefined) return {};
  const { atMs, cpu, memoryBytes } = figures;
  return {
    ...(cpu && {
      cpu: { time: time(atMs), usageNanoCores: nano(cpu.cores), usageCoreNanoSeconds: nano(cpu.seconds) },
    }),
    ...(memoryBytes !== undefined && { memory: { time: time(atMs), workingSetBytes: Math.round(memoryBytes) } }),
  };
}

const nano = (value: number): number => Math.round(value * 1e9);
const time = (ms: number): string => new Date(ms).toISOString();
