import { readFile } from 'node:fs/promises';

export interface ProcessUsage {
  readonly rssBytes: number;
  /** Highest since the start. */
  readonly peakRssBytes: number;
  /** Since the start. */
  readonly cpuSeconds: number;
}

/** USER_HZ: what the kernel counts in, on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** What a process uses, from /proc: the same for every language. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  const kilobytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  // The second field is the program's name in parentheses; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { rssBytes: kilobytes('VmRSS'), peakRssBytes: kilobytes('VmHWM'), cpuSeconds };
}
