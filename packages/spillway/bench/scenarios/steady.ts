import { setTimeout as sleep } from 'node:timers/promises';
import { processUsage } from '../observe/process-usage.ts';
import type { Figures } from '../report/results.ts';
import { burstOn } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';
import { settle } from './settle.ts';

const mebibytes = { factor: 1 / 2 ** 20, decimals: 0 };
const minutes = 10;

export const steady: Scenario = {
  name: 'steady',
  about: `pods have become Ready at once, and when their events are written, nothing happens for ${minutes} minutes`,
  contestants: ['spillway', 'kwok'],
  pods: [10_000],
  figures: [
    { key: 'cpuShare', label: 'CPU, % of a core', factor: 100, decimals: 2, goals: [{ atMost: 1 }] },
    { key: 'apiCallsPerMinute', label: 'API calls a minute', decimals: 1, goals: [{ atMost: 10 }] },
    { key: 'rssFirstBytes', label: 'memory (RSS), in the first minute, MiB', ...mebibytes },
    { key: 'rssLastBytes', label: 'memory (RSS), in the last minute, MiB', ...mebibytes },
    { key: 'rssPeakBytes', label: 'memory (RSS), highest since the start, MiB', ...mebibytes },
    {
      key: 'heapGrowthBytes',
      label: 'growth of the heap after collection, MiB',
      ...mebibytes,
      decimals: 1,
      goals: [{ atMost: 1 }],
    },
  ],
  measure,
};

async function measure(turn: Turn): Promise<Figures> {
  const { signal } = turn;
  await using contestant = await turn.start();
  const { inside, pid } = contestant;
  const look = async (): Promise<{ calls?: number; heap?: number; cpuSeconds: number; rssBytes: number }> => ({
    ...(await processUsage(pid)),
    ...(inside === undefined
      ? {}
      : { calls: await inside.total('spillway_api_requests_total'), heap: await inside.heapAfterCollection() }),
  });
  let figures: Figures = {};
  await burstOn(contestant, turn, {
    onRunning: async () => {
      await settle(turn);
      const first = await look();
      const before = await processUsage(pid);
      await sleep(minutes * 60_000, undefined, { signal });
      const after = await processUsage(pid);
      const last = await look();
      figures = {
        cpuShare: (after.cpuSeconds - before.cpuSeconds) / (minutes * 60),
        rssFirstBytes: first.rssBytes,
        rssLastBytes: after.rssBytes,
        rssPeakBytes: after.peakRssBytes,
        ...(first.calls === undefined || last.calls === undefined
          ? {}
          : { apiCallsPerMinute: (last.calls - first.calls) / minutes }),
        ...(first.heap === undefined || last.heap === undefined ? {} : { heapGrowthBytes: last.heap - first.heap }),
      };
    },
  });
  return figures;
}
