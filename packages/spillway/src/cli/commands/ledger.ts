import { access } from 'node:fs/promises';
import { whyUnreadable } from '@spillway/kube';
import { Command, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { generationsOf, ledgerFile, readIntervals } from '../../ledger/files.ts';
import type { Interval } from '../../ledger/interval.ts';
import { merged } from '../../ledger/merged.ts';
import { type Grouping, groupings, reportOf } from '../../ledger/report.ts';
import { readTime } from '../../ledger/time.ts';
import { UsageError } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderLedger } from '../render-ledger.ts';
import type { Terminal } from '../terminal.ts';

interface LedgerCommandOptions {
  readonly config?: string;
  readonly file: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly by: Grouping;
  readonly output: OutputFormat;
}

/** `spillway ledger` */
export function ledgerCommand(terminal: Terminal): Command {
  return new Command('ledger')
    .option('--config <file>', 'configuration that defines where the ledgers are')
    .option(
      '--file <file>',
      'ledger of a pool, instead of --config; may be given several times, also for several replicas',
      (file: string, files: readonly string[]) => [...files, file],
      [],
    )
    .option(
      '--since <time>',
      'start of the time: RFC 3339, a day such as 2026-01-31 (UTC), or how long ago: 90m, 12h, 7d',
    )
    .option('--until <time>', 'end of the time (default: now)')
    .addOption(new Option('--by <what>', 'one row for each').choices(groupings).default('size'))
    .addOption(outputOption())
    .action(async (options: LedgerCommandOptions) => {
      // Times of the ledger are in whole seconds.
      const nowMs = Math.floor(Date.now() / 1000) * 1000;
      const sinceMs = timeOption('--since', options.since, nowMs) ?? Number.NEGATIVE_INFINITY;
      const untilMs = Math.min(timeOption('--until', options.until, nowMs) ?? nowMs, nowMs);
      if (sinceMs >= untilMs) throw new UsageError('--since must be before --until and before now');
      const files = await filesOf(options);
      const intervals = merged(await Promise.all(files.map(intervalsOf)));
      printAnswer(terminal, reportOf(intervals, { by: options.by, sinceMs, untilMs }), options.output, renderLedger);
    });
}

function timeOption(name: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = readTime(text, nowMs);
  if (ms !== undefined) return ms;
  throw new UsageError(`${name} "${text}" is not a time: write 2026-01-31T08:00:00Z, 2026-01-31, or how long ago: 12h`);
}

async function filesOf({ config, file }: LedgerCommandOptions): Promise<readonly string[]> {
  if (config !== undefined && file.length > 0) throw new UsageError('use either --config or --file');
  if (config === undefined) {
    if (file.length === 0) throw new UsageError('specify the configuration or a ledger: --config FILE or --file FILE');
    return file;
  }
  const { ledger, pools } = await loadConfig(config);
  const { directory } = ledger;
  if (directory !== undefined) return pools.map(({ name }) => ledgerFile(directory, name));
  throw new UsageError(`${config}: no ledger is kept: set ledger.directory`);
}

async function intervalsOf(file: string): Promise<readonly Interval[]> {
  const files = generationsOf(file);
  try {
    await Promise.any(files.map((each) => access(each)));
    return [...(await readIntervals(files)).values()];
  } catch (cause) {
    const [first] = cause instanceof AggregateError ? cause.errors : [cause];
    const missing = first instanceof Error && 'code' in first && first.code === 'ENOENT';
    const why = missing
      ? 'there is no such file: has spillway serve run a pod since ledger.directory was set?'
      : whyUnreadable(first);
    throw new UsageError(`${file}: cannot read the ledger: ${why}`, { cause });
  }
}
