/**
 * One record of a CRI log file: `2026-10-06T00:17:09.669794202Z stdout F the content`. A long line is several records; all
 * but the last are partial (`P`).
 */
export interface CriRecord {
  readonly timestamp: string;
  readonly stream: 'stdout' | 'stderr';
  readonly partial: boolean;
  readonly content: Buffer;
}

const space = 0x20;

/** Undefined for what is not a record, e.g. after the machine lost power while it wrote. */
export function parseRecord(line: Buffer): CriRecord | undefined {
  const afterTime = line.indexOf(space);
  const afterStream = line.indexOf(space, afterTime + 1);
  if (afterTime <= 0 || afterStream === -1) return undefined;
  const stream = line.toString('latin1', afterTime + 1, afterStream);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const next = line.indexOf(space, afterStream + 1);
  const afterTags = next === -1 ? line.length : next;
  const [tag] = line.toString('latin1', afterStream + 1, afterTags).split(':');
  if (tag !== 'P' && tag !== 'F') return undefined;
  return {
    timestamp: line.toString('latin1', 0, afterTime),
    stream,
    partial: tag === 'P',
    content: line.subarray(afterTags + 1),
  };
}

/** Nine digits after the point, as the kubelet prints times. */
export function fixedNanoseconds(timestamp: string): string {
  const match = /^(.{19})(?:\.(\d{1,9}))?\d*(Z|[+-]\d\d:\d\d)$/.exec(timestamp);
  return match ? `${match[1]}.${(match[2] ?? '').padEnd(9, '0')}${match[3]}` : timestamp;
}
