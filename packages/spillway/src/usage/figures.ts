import type { InstanceUsage } from '../backends/backend.ts';
import { counted } from './counter.ts';

/** What was measured of a container, a pod or a node. What is not known is missing. */
export interface Figures {
  /** In milliseconds since the epoch. The same moment always has the same figures. */
  readonly atMs: number;
  readonly cpu?: CpuFigures;
  /** The working set. */
  readonly memoryBytes?: number;
}

export interface CpuFigures {
  readonly cores: number;
  /** Used so far; it only grows while the container runs. */
  readonly seconds: number;
}

export interface ContainerFigures extends Figures {
  /** The run that they are about. */
  readonly startedAtMs: number;
}

export interface PodFigures extends Figures {
  /** By name. */
  readonly containers: ReadonlyMap<string, ContainerFigures>;
}

/** All that is known of what a virtual node uses. */
export interface NodeFigures {
  /** By UID. */
  readonly pods: ReadonlyMap<string, PodFigures>;
  /** Of all pods together; undefined: nothing is known of any. */
  readonly total: Figures | undefined;
}

/** When the containers of a pod were started that run now, by name; undefined: there is no such pod. */
export type Starts = (uid: string) => ReadonlyMap<string, number> | undefined;

export const noFigures: NodeFigures = { pods: new Map(), total: undefined };

/** What is known after another answer of the backend. What the answer lacks is not known any more. */
export function figuresAfter(before: NodeFigures, usage: readonly InstanceUsage[], starts: Starts): NodeFigures {
  const pods = new Map<string, PodFigures>();
  for (const measured of usage) {
    const figures = podFigures(before.pods.get(measured.uid), measured, starts(measured.uid) ?? new Map());
    if (figures !== undefined) pods.set(measured.uid, figures);
  }
  return { pods, total: totalOf(before.total, [...pods.values()], usage) };
}

function podFigures(
  before: PodFigures | undefined,
  measured: InstanceUsage,
  starts: ReadonlyMap<string, number>,
): PodFigures | undefined {
  if (before !== undefined && measured.atMs <= before.atMs) return before;
  const containers = new Map<string, ContainerFigures>();
  for (const container of measured.containers) {
    const startedAtMs = starts.get(container.name);
    // Measured before this run, or of a container that is none of the pod's.
    if (startedAtMs === undefined || startedAtMs >= measured.atMs) continue;
    const known = before?.containers.get(container.name);
    const sameRun = known?.startedAtMs === startedAtMs ? known : undefined;
    const windowMs = Math.min(measured.windowMs, measured.atMs - startedAtMs);
    containers.set(container.name, { startedAtMs, ...figuresOf(sameRun, { ...container, ...measured, windowMs }) });
  }
  if (containers.size === 0) return undefined;
  const parts = [...containers.values()];
  const cores = sum(parts.map(({ cpu }) => cpu?.cores));
  const memoryBytes = sum(parts.map((part) => part.memoryBytes));
  return { containers, ...figuresOf(before, { ...measured, cores, memoryBytes }) };
}

/** The node was measured when its newest pod was. Pods of which something is not known count with the rest. */
function totalOf(
  before: Figures | undefined,
  pods: readonly PodFigures[],
  usage: readonly InstanceUsage[],
): Figures | undefined {
  if (pods.length === 0) return undefined;
  const atMs = pods.reduce((newest, pod) => Math.max(newest, pod.atMs), 0);
  if (before !== undefined && atMs <= before.atMs) return before;
  const windowMs = usage.reduce((longest, each) => Math.max(longest, each.windowMs), 0);
  return figuresOf(before, {
    atMs,
    windowMs,
    cores: sum(pods.flatMap(({ cpu }) => cpu?.cores ?? [])),
    memoryBytes: sum(pods.flatMap((pod) => pod.memoryBytes ?? [])),
  });
}

interface Measured {
  readonly atMs: number;
  readonly windowMs: number;
  readonly cores?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** Undefined when one of them is not known, or there are none. */
function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((each) => each !== undefined);
  if (known.length === 0 || known.length < values.length) return undefined;
  return known.reduce((all, each) => all + each, 0);
}

function figuresOf(before: Figures | undefined, { atMs, windowMs, cores, memoryBytes }: Measured): Figures {
  const counter = before?.cpu && { atMs: before.atMs, seconds: before.cpu.seconds };
  return {
    atMs,
    ...(cores !== undefined && { cpu: { cores, seconds: counted(counter, { atMs, windowMs, cores }).seconds } }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  };
}
