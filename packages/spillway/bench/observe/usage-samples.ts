import { type ProcessUsage, processUsage } from './process-usage.ts';

interface Sample extends ProcessUsage {
  readonly atSeconds: number;
}

const everyMs = 1000;

/** What a process uses over time, second by second. */
export class UsageSamples implements AsyncDisposable {
  readonly #pid: number;
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void>;

  constructor(pid: number) {
    this.#pid = pid;
    this.#looking = this.#look();
    this.#timer = setInterval(() => {
      this.#looking = this.#look();
    }, everyMs);
  }

  /** The largest share of a core over so many seconds in a row. */
  highestShare(seconds: number): number {
    return highestShare(this.#samples, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    const atSeconds = performance.now() / 1000;
    // It may have ended.
    const usage = await processUsage(this.#pid).catch(() => undefined);
    if (usage) this.#samples.push({ ...usage, atSeconds });
  }
}

/** @param samples in the order of time */
export function highestShare(samples: readonly Pick<Sample, 'atSeconds' | 'cpuSeconds'>[], seconds: number): number {
  let highest = 0;
  let first = 0;
  for (const { atSeconds, cpuSeconds } of samples) {
    for (let next = samples[first + 1]; next && next.atSeconds <= atSeconds - seconds; next = samples[first + 1])
      first += 1;
    const from = samples[first];
    if (from && atSeconds - from.atSeconds >= seconds) {
      highest = Math.max(highest, (cpuSeconds - from.cpuSeconds) / (atSeconds - from.atSeconds));
    }
  }
  return highest;
}
