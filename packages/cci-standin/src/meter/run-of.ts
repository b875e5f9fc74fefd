import type { Run } from './bills.ts';

export interface ContainerTimes {
  readonly startedMs: number | undefined;
  /** Undefined: it runs, or never did. */
  readonly finishedMs: number | undefined;
}

/** Undefined: no container of the pod has started yet. */
export function runOf(id: string, containers: readonly ContainerTimes[]): Run | undefined {
  const started = containers.filter(({ startedMs }) => startedMs !== undefined);
  const finished = started.flatMap(({ finishedMs }) => finishedMs ?? []);
  if (started.length === 0) return undefined;
  return {
    id,
    startedMs: Math.min(...started.flatMap(({ startedMs }) => startedMs ?? [])),
    finishedMs: finished.length < started.length ? undefined : Math.max(...finished),
  };
}
