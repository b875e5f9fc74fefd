import type { PlacementResult } from './results.ts';
import { markdown } from './table.ts';

const ms = (seconds: number | undefined): string => (seconds === undefined ? '–' : (seconds * 1000).toFixed(0));

/** One line for each wave. */
export function renderPlacement(results: readonly PlacementResult[]): string {
  const head = [
    'pods',
    'binder',
    'bound, pods/s',
    'Unschedulable to bound, p50, ms',
    'p99, ms',
    'creation to bound, p50, ms',
    'p99, ms',
  ];
  const body = results.map((result) => [
    `${result.pods.toLocaleString('en')} ${result.kind}`,
    result.binder,
    result.boundPerSecond.toFixed(1),
    ms(result.unschedulableP50Seconds),
    ms(result.unschedulableP99Seconds),
    ms(result.createdP50Seconds),
    ms(result.createdP99Seconds),
  ]);
  return markdown([head, ...body]);
}
