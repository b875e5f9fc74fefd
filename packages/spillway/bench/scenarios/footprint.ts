import { setTimeout as sleep } from 'node:timers/promises';
import { presets } from '../../src/addon/installation/resources.ts';
import { nanoOf } from '../../src/podspec/quantities.ts';
import { processUsage } from '../observe/process-usage.ts';
import { UsageSamples } from '../observe/usage-samples.ts';
import type { Figures, Goal } from '../report/results.ts';
import { burstOn } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';
import { settle } from './settle.ts';

const mebibytes = { factor: 1 / 2 ** 20, decimals: 0 };
const idleSeconds = 60;
/** What a pod's CPU is requested for is short bursts, but not the busiest moment of one. */
const busySeconds = 10;

const fits = (memory: 'memory' | 'memoryLimit'): readonly Goal[] =>
  presets.map((preset) => ({ pods: preset.pods, atMost: Number(nanoOf(preset[memory]) / 1_000_000_000n) / 2 ** 20 }));

/** The table of resources in docs/performance.md, which the presets of an installation follow. */
export const footprint: Scenario = {
  name: 'footprint',
  about: 'what the process takes with so many pods, come at once, idle, and gone again',
  contestants: ['spillway'],
  pods: [0, 1000, 5000],
  rows: 'sizes',
  figures: [
    { key: 'rssIdleBytes', label: 'memory (RSS), idle, MiB', ...mebibytes, goals: fits('memory') },
    { key: 'rssPeakBytes', label: 'memory (RSS), highest, MiB', ...mebibytes, goals: fits('memoryLimit') },
    { key: 'heapIdleBytes', label: 'heap after collection, MiB', ...mebibytes },
    { key: 'cpuIdleShare', label: 'CPU, idle, % of a core', factor: 100, decimals: 2, goals: [{ atMost: 1 }] },
    { key: 'cpuBusyShare', label: `CPU, busiest ${busySeconds} s, % of a core`, factor: 100, decimals: 0 },
    { key: 'cpuPerPodSeconds', label: 'CPU for each pod, start to gone, ms', factor: 1000, decimals: 2 },
  ],
  measure,
};

async function measure(turn: Turn): Promise<Figures> {
  const { pods, signal } = turn;
  await using contestant = await turn.start();
  const { inside, pid } = contestant;
  if (inside === undefined) throw new Error(`${contestant.nodeName} does not tell of itself`);
  await using samples = new UsageSamples(pid);
  const start = await processUsage(pid);
  let idle = { cpuShare: 0, rssBytes: 0, cpuSeconds: 0, heapBytes: 0 };
  await burstOn(contestant, turn, {
    onRunning: async () => {
      await settle(turn);
      const before = await processUsage(pid);
      await sleep(idleSeconds * 1000, undefined, { signal });
      const { rssBytes, cpuSeconds } = await processUsage(pid);
      const heapBytes = await inside.heapAfterCollection();
      const share = (cpuSeconds - before.cpuSeconds) / idleSeconds;
      idle = { cpuShare: share, rssBytes, cpuSeconds: cpuSeconds - before.cpuSeconds, heapBytes };
    },
  });
  const end = await processUsage(pid);
  return {
    rssIdleBytes: idle.rssBytes,
    rssPeakBytes: end.peakRssBytes,
    heapIdleBytes: idle.heapBytes,
    cpuIdleShare: idle.cpuShare,
    cpuBusyShare: samples.highestShare(busySeconds),
    ...(pods === 0 ? {} : { cpuPerPodSeconds: (end.cpuSeconds - start.cpuSeconds - idle.cpuSeconds) / pods }),
  };
}
