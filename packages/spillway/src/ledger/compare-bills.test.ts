import type { Reading } from '@spillway/cci-standin';
import { describe, expect, it } from 'vitest';
import { disagreements } from '../../testkit/compare-bills.ts';
import type { Interval } from './interval.ts';
import { reportOf } from './report.ts';

const at = (second: number): string => `2026-01-01T09:00:${String(second).padStart(2, '0')}Z`;

const written = (uid: string, end: number, cpu = '500m'): Interval => ({
  uid,
  accepted: at(0),
  namespace: 'shop',
  name: uid,
  pool: 'cci',
  node: 'vk',
  cpu,
  memory: '1Gi',
  start: at(0),
  end: at(end),
});
const bill = (uid: string, seconds: number): Reading['bills'][number] => ({
  uid,
  namespace: 'cce-burst-1',
  name: `shop-${uid}`,
  size: { vcpu: 0.5, gib: 1 },
  start: at(0),
  end: at(seconds),
  seconds,
});

const compare = (intervals: readonly Interval[], bills: Reading['bills'], overlapping: string[] = []): string[] =>
  disagreements(reportOf(intervals, { by: 'pod', sinceMs: Number.NEGATIVE_INFINITY, untilMs: Date.parse(at(59)) }), {
    at: at(59),
    running: 0,
    bills,
    overlapping,
  });

describe('ledger and meter', () => {
  it('agree when they differ by a second for a pod', () => {
    expect(compare([written('a', 10), written('b', 11)], [bill('a', 11), bill('b', 10)])).toEqual([]);
  });

  it.each([
    ['one has a pod that the other lacks', [written('a', 10)], [bill('a', 10), bill('b', 5)], 'pod b: ledger []'],
    ['a pod has another size', [written('a', 10, '1')], [bill('a', 10)], 'pod a: ledger [1 CPU, 1 GiB]'],
    ['a pod has other seconds', [written('a', 12)], [bill('a', 10)], 'pod a: ledger 12 s, meter 10 s'],
    ['a pod is there twice', [written('a', 10)], [bill('a', 5), bill('a', 5)], 'pod a: ledger [0.5 CPU, 1 GiB], meter'],
  ])('disagree when %s', (_what, intervals, bills, message) => {
    expect(compare(intervals, bills).join('\n')).toContain(message);
  });

  it('disagree when a pod is billed twice', () => {
    expect(compare([], [], ['a'])).toEqual(['pod a is billed twice']);
  });
});
