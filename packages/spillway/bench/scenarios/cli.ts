import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from '../observe/quantile.ts';
import type { Figures } from '../report/results.ts';
import type { Scenario, Turn } from './scenario.ts';

const run = promisify(execFile);

/** Of bash: seconds of the command in user mode, in the kernel, and in all. */
const timed = ['-c', 'TIMEFORMAT="%3U %3S %3R"; time "$@" >/dev/null', 'bash'] as const;

export const cli: Scenario = {
  name: 'cli',
  about: 'what the start of the command line costs: spillway version',
  contestants: ['spillway'],
  pods: [5],
  unit: 'starts',
  figures: [
    { key: 'cpuSeconds', label: 'CPU, ms', factor: 1000, decimals: 0, goals: [{ atMost: 150 }] },
    { key: 'seconds', label: 'time, ms', factor: 1000, decimals: 0 },
  ],
  measure,
};

/** Medians. */
async function measure({ product, pods, signal }: Turn): Promise<Figures> {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const starts: { readonly cpu: number; readonly all: number }[] = [];
  // The first does not count: files are read from the disk.
  for (let started = 0; started <= pods; started += 1) {
    const args = [...timed, process.execPath, ...product.arguments(0), 'version'];
    const { stderr } = await run('bash', args, { env, signal });
    const [user = Number.NaN, system = Number.NaN, all = Number.NaN] = stderr.trim().split(' ').map(Number);
    if (started > 0) starts.push({ cpu: user + system, all });
  }
  return {
    cpuSeconds: median(starts.map(({ cpu }) => cpu)) ?? Number.NaN,
    seconds: median(starts.map(({ all }) => all)) ?? Number.NaN,
  };
}
