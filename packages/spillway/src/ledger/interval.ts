/** Why an interval has ended: also what the backend said, e.g. `Evicted`. */
export type EndReason = 'Completed' | 'Failed' | 'Gone' | 'Lost' | (string & {});

/**
 * What one instance is billed for. A line of the ledger is the whole of it as it is known at that moment: of several lines
 * for one instance the last one counts, so that none is counted twice.
 */
export interface Interval {
  /** Of the pod in the cluster. */
  readonly uid: string;
  /** When the backend accepted the instance. With the UID: which interval it is. */
  readonly accepted: string;
  readonly namespace: string;
  readonly name: string;
  readonly pool: string;
  readonly node: string;
  /** The billed size, as quantities. */
  readonly cpu: string;
  readonly memory: string;
  /** When its first container started. Times are RFC 3339 in whole seconds. */
  readonly start: string;
  /** Absent: it runs. */
  readonly end?: string;
  readonly reason?: EndReason;
}

export const keyOf = ({ uid, accepted }: Pick<Interval, 'uid' | 'accepted'>): string => `${uid} ${accepted}`;

export const formatLine = (interval: Interval): string => `${JSON.stringify(interval)}\n`;

const required = ['uid', 'accepted', 'namespace', 'name', 'pool', 'node', 'cpu', 'memory', 'start'] as const;

/** Undefined: it is no line of a ledger. The process may have been killed while it wrote it. */
export function parseLine(line: string): Interval | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isInterval(value) ? value : undefined;
}

function isInterval(value: unknown): value is Interval {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const texts = required.every((name) => typeof fields[name] === 'string');
  const { start, end } = fields;
  return texts && isTime(start) && (end === undefined || isTime(end));
}

function isTime(value: unknown): boolean {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
