import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import type { BenchOptions } from '../options.ts';
import type { Results, Run, Shown } from './results.ts';

/** Keeps what was measured, in a file after every turn: a run that is interrupted has results, too. */
export class Record {
  readonly #options: BenchOptions;
  readonly #kwok: string | undefined;
  readonly #startedAt = new Date();
  readonly #startLoad = loadavg();
  readonly runs: Results['runs'][number][] = [];
  kubernetes = '';

  constructor(options: BenchOptions, kwok: string | undefined) {
    this.#options = options;
    this.#kwok = kwok;
  }

  async add(run: Run, startedAt: Date): Promise<void> {
    const seconds = (Date.now() - startedAt.getTime()) / 1000;
    this.runs.push({ ...run, startedAt: startedAt.toISOString(), seconds });
    const { json } = this.#options;
    if (json !== undefined) await writeFile(json, `${JSON.stringify(this.results, undefined, 2)}\n`);
  }

  get results(): Results {
    return {
      startedAt: this.#startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      arguments: process.argv.slice(2),
      machine: {
        cpus: cpus().length,
        cpu: cpus()[0]?.model,
        memoryBytes: totalmem(),
        node: process.version,
        kubernetes: this.kubernetes,
        kwok: this.#kwok,
        load: { before: this.#startLoad, after: loadavg() },
      },
      scenarios: this.#options.scenarios.map(shownOf),
      runs: this.runs,
    };
  }
}

function shownOf({ name, contestants, figures, unit, rows }: Shown): Shown {
  return { name, contestants, figures, ...(unit && { unit }), ...(rows && { rows }) };
}
