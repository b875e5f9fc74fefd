import { describe, expect, it } from 'vitest';
import type { Interval } from './interval.ts';
import { merged } from './merged.ts';
import { reportOf } from './report.ts';
import { readTime } from './time.ts';

const clock = (time: string): string => `2026-01-01T${time}Z`;
const ms = (time: string): number => Date.parse(clock(time));

const interval = (uid: string, more: Partial<Interval> = {}): Interval => ({
  uid,
  accepted: clock('09:00:00'),
  namespace: 'shop',
  name: uid,
  pool: 'cci',
  node: 'vk',
  cpu: '500m',
  memory: '1Gi',
  start: clock('09:00:00'),
  ...more,
});
const intervals = [
  interval('done', { end: clock('09:10:00'), reason: 'Completed' }),
  interval('large', { cpu: '2', memory: '4Gi', namespace: 'lab', end: clock('09:01:00'), reason: 'Gone' }),
  interval('runs', { start: clock('09:30:00') }),
];
const always = { sinceMs: Number.NEGATIVE_INFINITY, untilMs: ms('10:00:00') };

describe('the report', () => {
  it('says for each size how many pods there were, how many run, and for how long', () => {
    expect(reportOf(intervals, { by: 'size', ...always })).toEqual({
      by: 'size',
      until: clock('10:00:00'),
      total: { pods: 3, running: 1, podSeconds: 2460, vcpuSeconds: 1320, gibSeconds: 2640 },
      rows: [
        { cpu: '500m', memory: '1Gi', pods: 2, running: 1, podSeconds: 2400, vcpuSeconds: 1200, gibSeconds: 2400 },
        { cpu: '2', memory: '4Gi', pods: 1, running: 0, podSeconds: 60, vcpuSeconds: 120, gibSeconds: 240 },
      ],
    });
  });

  it('counts only what was billed in the time that it is asked for', () => {
    const { total, rows } = reportOf(intervals, { by: 'pod', sinceMs: ms('09:05:00'), untilMs: ms('09:31:00') });
    expect(total).toEqual({ pods: 2, running: 1, podSeconds: 360, vcpuSeconds: 180, gibSeconds: 360 });
    expect(rows.map(({ name, podSeconds, end }) => [name, podSeconds, end])).toEqual([
      ['done', 300, clock('09:10:00')],
      ['runs', 60, undefined],
    ]);
  });

  it('has rows for namespaces and pools', () => {
    expect(reportOf(intervals, { by: 'namespace', ...always }).rows.map((row) => [row.namespace, row.pods])).toEqual([
      ['shop', 2],
      ['lab', 1],
    ]);
    expect(reportOf(intervals, { by: 'pool', ...always }).rows.map((row) => [row.pool, row.pods])).toEqual([
      ['cci', 3],
    ]);
  });
});

describe('ledgers of replicas that took turns', () => {
  it('come to one interval for each instance', () => {
    const first = [interval('a'), interval('b', { end: clock('09:20:00') })];
    const second = [interval('a', { start: clock('09:05:00'), end: clock('09:30:00') })];
    const both = [interval('a', { end: clock('09:30:00') }), interval('b', { end: clock('09:20:00') })];
    expect(merged([first, second])).toEqual(both);
    expect(merged([second, first])).toEqual(both);
  });
});

describe('a time', () => {
  const now = ms('12:00:00');
  it.each([
    ['2026-01-01T08:00:00Z', ms('08:00:00')],
    ['2026-01-01T08:00:00+02:00', ms('06:00:00')],
    ['2026-01-01', ms('00:00:00')],
    ['90m', ms('10:30:00')],
    ['2d', now - 172_800_000],
    ['yesterday', undefined],
    ['12', undefined],
    ['2026-13-01', undefined],
  ])('%s', (text, time) => {
    expect(readTime(text, now)).toBe(time);
  });
});
