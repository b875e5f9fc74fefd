import { setTimeout as sleep } from 'node:timers/promises';
import { apiCallsOf, callsBetween } from '../observe/api-calls.ts';
import { processUsage } from '../observe/process-usage.ts';
import type { Figures } from '../report/results.ts';
import { burstOn, since } from './burst.ts';
import type { Scenario, Turn } from './scenario.ts';

const never = { decimals: 0, goals: [{ atMost: 0 }] };
/** Long enough for two listings of the backend, after which what is wrong would be put right. */
const watchMs = 90_000;

export const restart: Scenario = {
  name: 'restart',
  about: 'the process is killed while pods run, and starts again',
  contestants: ['spillway'],
  pods: [10_000],
  figures: [
    {
      key: 'readySeconds',
      label: 'until the node is Ready and all pods are known, s',
      decimals: 1,
      goals: [{ atMost: 10 }],
    },
    { key: 'creates', label: 'instances created afterwards', ...never },
    { key: 'stops', label: 'instances stopped afterwards', ...never },
    { key: 'statusWrites', label: 'status writes afterwards', ...never },
    { key: 'podWrites', label: 'other writes of pods afterwards', ...never },
    { key: 'rssPeakBytes', label: 'memory (RSS), highest, MiB', factor: 1 / 2 ** 20, decimals: 0 },
  ],
  measure,
};

async function measure(turn: Turn): Promise<Figures> {
  const { cluster, pods, signal } = turn;
  await using contestant = await turn.start({ keepInstances: true });
  const { nodeName, inside } = contestant;
  if (inside === undefined) throw new Error(`${nodeName} cannot be started again`);
  let figures: Figures = {};
  // The process that was started first ends, and is meant to.
  const ended = new Promise<never>(() => {});
  await burstOn({ nodeName, ended }, turn, {
    onRunning: async () => {
      const before = await apiCallsOf(cluster);
      const killed = performance.now();
      const pid = await inside.restart();
      // The node is still Ready for the cluster; the new process answers when it listens.
      const known = async (): Promise<number> => await inside.total('spillway_pods').catch(() => 0);
      while ((await known()) < pods) await sleep(50, undefined, { signal });
      const readySeconds = since(killed);
      await sleep(watchMs, undefined, { signal });
      const calls = callsBetween(before, await apiCallsOf(cluster));
      const writes = Object.entries(calls).filter(([call]) => /^(POST|PUT|PATCH|DELETE|APPLY) pods/.test(call));
      const written = (is: (call: string) => boolean): number =>
        writes.filter(([call]) => is(call)).reduce((sum, [, count]) => sum + count, 0);
      figures = {
        readySeconds,
        creates: await inside.total('spillway_operations_total', { operation: 'create' }),
        stops: await inside.total('spillway_operations_total', { operation: 'stop' }),
        statusWrites: written(isStatus),
        podWrites: written((call) => !isStatus(call)),
        rssPeakBytes: (await processUsage(pid)).peakRssBytes,
      };
    },
  });
  return figures;
}

const isStatus = (call: string): boolean => call.endsWith('pods/status');
