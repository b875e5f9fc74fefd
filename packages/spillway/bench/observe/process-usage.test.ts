import { expect, test } from 'vitest';
import { processUsage } from './process-usage.ts';

test('what a process uses grows with what it does', async () => {
  const before = await processUsage(process.pid);
  // Longer than the kernel's unit of time, however fast the machine is.
  const enoughMicroseconds = process.cpuUsage().user + 50_000;
  while (process.cpuUsage().user < enoughMicroseconds) JSON.parse(JSON.stringify({ work: 'work' }));
  const after = await processUsage(process.pid);
  expect(after.cpuSeconds).toBeGreaterThan(before.cpuSeconds);
  expect(after.rssBytes).toBeGreaterThan(0);
  expect(after.peakRssBytes).toBeGreaterThanOrEqual(before.rssBytes);
});
