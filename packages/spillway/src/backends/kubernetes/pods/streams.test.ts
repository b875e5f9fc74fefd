import { expect, test } from 'vitest';
import { logQuery } from './streams.ts';

const now = new Date('2026-01-01T00:01:00Z');
const options = {
  follow: false,
  timestamps: true,
  previous: false,
  stream: 'All',
  sinceTime: new Date('2026-01-01T00:00:30.5Z'),
} as const;

test('where logs know no time to begin at, the seconds until then are asked for', () => {
  expect(logQuery('main', options, { sinceTime: true }, now)).toMatchObject({ sinceTime: '2026-01-01T00:00:30.500Z' });
  expect(logQuery('main', options, { sinceTime: false }, now)).toMatchObject({ sinceSeconds: 30 });
  const later = { ...options, sinceTime: new Date('2026-01-01T00:01:30Z') };
  expect(logQuery('main', later, { sinceTime: false }, now)).toMatchObject({ tailLines: 0 });
});

test('one stream alone cannot be had', () => {
  expect(() => logQuery('main', { ...options, stream: 'Stderr' }, { sinceTime: true }, now)).toThrow('both streams');
});
