import { expect, test } from 'vitest';
import { logQuery } from './streams.ts';

const now = new Date('2026-01-01T00:01:00Z');
const options = {
  follow: false,
  timestamps: false,
  previous: false,
  stream: 'All',
  limitBytes: 10,
  since: BigInt(Date.parse('2026-01-01T00:00:30.5Z')) * 1_000_000n,
} as const;

test('a log that begins at a moment is asked for whole seconds, and has the time before each line', () => {
  const sinceTime = logQuery('main', options, { sinceTime: true }, now);
  expect(sinceTime).toEqual({
    container: 'main',
    follow: false,
    previous: false,
    timestamps: true,
    sinceTime: '2026-01-01T00:00:30.500Z',
  });
  expect(logQuery('main', options, { sinceTime: false }, now)).toMatchObject({ sinceSeconds: 90, timestamps: true });
  const later = { ...options, since: BigInt(Date.parse('2026-01-01T00:01:30Z')) * 1_000_000n };
  expect(logQuery('main', later, { sinceTime: false }, now)).toMatchObject({ sinceSeconds: 60 });
});

test('a whole log is asked for as the reader wants it', () => {
  const { since: _, ...whole } = options;
  expect(logQuery('main', whole, { sinceTime: true }, now)).toMatchObject({ timestamps: false, limitBytes: 10 });
});

test('one stream alone cannot be had', () => {
  expect(() => logQuery('main', { ...options, stream: 'Stderr' }, { sinceTime: true }, now)).toThrow('both streams');
});
