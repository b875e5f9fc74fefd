import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { outlive } from './outlive.ts';

test('what outlives a signal ends later, with the same reason', async () => {
  const stop = new AbortController();
  const later = outlive(stop.signal, 20);
  await delay(30);
  expect(later.aborted).toBe(false);
  stop.abort('stopped');
  expect(later.aborted).toBe(false);
  await expect.poll(() => later.aborted).toBe(true);
  expect(later.reason).toBe('stopped');
});

test('it ends also when the signal was aborted before', async () => {
  const later = outlive(AbortSignal.abort(), 1);
  expect(later.aborted).toBe(false);
  await expect.poll(() => later.aborted).toBe(true);
});
