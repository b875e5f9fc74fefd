import { nanoOf } from '../podspec/quantities.ts';
import type { Interval } from './interval.ts';

export const groupings = ['pod', 'namespace', 'pool', 'size'] as const;
export type Grouping = (typeof groupings)[number];

export interface ReportOptions {
  readonly by: Grouping;
  /** Only what was billed in this time. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

export interface Usage {
  readonly pods: number;
  /** Of them, how many run at the end of the time. */
  readonly running: number;
  readonly podSeconds: number;
  readonly vcpuSeconds: number;
  readonly gibSeconds: number;
}

/** With the fields that its grouping has. */
export interface Row extends Usage {
  readonly uid?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly pool?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly start?: string;
  readonly end?: string;
  readonly reason?: string;
}

export interface Report {
  readonly by: Grouping;
  /** RFC 3339; absent: from the beginning. */
  readonly since?: string;
  readonly until: string;
  readonly total: Usage;
  /** Pods by name, others with the most CPU first. */
  readonly rows: readonly Row[];
}

const none: Usage = { pods: 0, running: 0, podSeconds: 0, vcpuSeconds: 0, gibSeconds: 0 };

/** What intervals come to in a time. Pure. */
export function reportOf(intervals: Iterable<Interval>, { by, sinceMs, untilMs }: ReportOptions): Report {
  const rows = new Map<string, Row>();
  let total = none;
  for (const interval of intervals) {
    const usage = usageOf(interval, sinceMs, untilMs);
    if (usage === undefined) continue;
    total = plus(total, usage);
    const labels = labelsOf(interval, by);
    const key = Object.values(labels).join('\n');
    rows.set(key, { ...labels, ...plus(rows.get(key) ?? none, usage) });
  }
  const inOrder =
    by === 'pod'
      ? [...rows].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })).map(([, row]) => row)
      : [...rows.values()].toSorted((a, b) => b.vcpuSeconds - a.vcpuSeconds);
  return {
    by,
    ...(Number.isFinite(sinceMs) && { since: rfc3339(sinceMs) }),
    until: rfc3339(untilMs),
    total: rounded(total),
    rows: inOrder.map((row) => ({ ...row, ...rounded(row) })),
  };
}

/** Undefined: nothing was billed in this time. */
function usageOf({ start, end, cpu, memory }: Interval, sinceMs: number, untilMs: number): Usage | undefined {
  const startMs = Date.parse(start);
  const endMs = end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end);
  if (startMs >= untilMs || endMs < sinceMs) return undefined;
  const podSeconds = (Math.min(endMs, untilMs) - Math.max(startMs, sinceMs)) / 1000;
  return {
    pods: 1,
    running: endMs > untilMs ? 1 : 0,
    podSeconds,
    vcpuSeconds: (podSeconds * Number(nanoOf(cpu))) / 1e9,
    gibSeconds: (podSeconds * Number(nanoOf(memory))) / 1e9 / 2 ** 30,
  };
}

function labelsOf(interval: Interval, by: Grouping): Omit<Row, keyof Usage> {
  const { namespace, name, uid, pool, cpu, memory, start, end, reason } = interval;
  switch (by) {
    case 'namespace':
      return { namespace };
    case 'pool':
      return { pool };
    case 'size':
      return { cpu, memory };
    default:
      return {
        namespace,
        name,
        uid,
        pool,
        cpu,
        memory,
        start,
        ...(end !== undefined && { end }),
        ...(reason !== undefined && { reason }),
      };
  }
}

function plus(a: Usage, b: Usage): Usage {
  return {
    pods: a.pods + b.pods,
    running: a.running + b.running,
    podSeconds: a.podSeconds + b.podSeconds,
    vcpuSeconds: a.vcpuSeconds + b.vcpuSeconds,
    gibSeconds: a.gibSeconds + b.gibSeconds,
  };
}

/** Sums of fractions have more digits than sense. */
function rounded({ pods, running, ...seconds }: Usage): Usage {
  return {
    pods,
    running,
    podSeconds: thousandths(seconds.podSeconds),
    vcpuSeconds: thousandths(seconds.vcpuSeconds),
    gibSeconds: thousandths(seconds.gibSeconds),
  };
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
