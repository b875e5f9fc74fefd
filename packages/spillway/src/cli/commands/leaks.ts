import { errorMessage, systemClock } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { findLeaks, type LeaksReport, removeLeaks, type SurveyedPlace } from '../../removal/leaks.ts';
import { clusterUid } from '../../serve/connect.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { interruptible } from '../interruptible.ts';
import { exitCodes, UsageError } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderLeaks } from '../render-leaks.ts';
import { surveyedPlaces } from '../surveyed-places.ts';
import { note, type Terminal } from '../terminal.ts';

interface Options extends ClusterOptions {
  readonly config: string;
  readonly remove?: readonly string[];
  readonly timeout: number;
  readonly output: OutputFormat;
}

/** `spillway leaks` */
export function leaksCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('leaks'))
    .requiredOption('--config <file>', 'configuration file, whose pools say where to look')
    .option('--remove <clusterid...>', 'remove what these clusters have, and nothing of any other')
    .addOption(
      new Option('--timeout <seconds>', 'how long to try; what is left then is reported')
        .argParser((text) => {
          if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
          return Number(text);
        })
        .default(600),
    )
    .addOption(outputOption())
    .action(async (options: Options) => {
      const config = await loadConfig(options.config);
      const livingId = await livingCluster(options, config, terminal);
      const places = surveyedPlaces(config, livingId);
      try {
        const report = await interruptible((signal) => run(options, { places, livingId, terminal }, signal));
        printAnswer(terminal, report, options.output, renderLeaks);
        const isAsked = options.remove !== undefined;
        const isBad = isAsked
          ? report.remains.length > 0
          : report.unseen.length > 0 || report.leaks.some(({ living }) => living === 'unknown');
        if (isBad) terminal.exitCode = exitCodes.findings;
      } finally {
        await Promise.allSettled(places.map(({ survey }) => survey.close()));
      }
    });
}

interface Parts {
  readonly places: readonly SurveyedPlace[];
  readonly livingId: string | undefined;
  readonly terminal: Terminal;
}

async function run({ remove, timeout }: Options, parts: Parts, signal: AbortSignal): Promise<LeaksReport> {
  const { places, livingId, terminal } = parts;
  const found = await findLeaks(places, livingId, signal);
  if (remove === undefined) return { ...found, removed: [], remains: [], others: [] };
  if (livingId !== undefined && remove.includes(livingId)) {
    throw new UsageError(
      `cluster ${livingId} is alive: it answers. To remove Spillway from it, use "spillway uninstall"`,
    );
  }
  const unknown = remove.filter((id) => !found.leaks.some(({ clusterId }) => clusterId === id));
  if (unknown.length > 0) {
    const blind = found.unseen.length === 0 ? '' : ` Not everything could be looked at: ${found.unseen.join('; ')}`;
    throw new UsageError(`nothing of cluster ${unknown.join(', ')} was found; nothing was removed.${blind}`);
  }
  const asked = found.leaks.filter(({ clusterId }) => remove.includes(clusterId));
  const options = {
    graceSeconds: undefined,
    timeoutMs: timeout * 1000,
    tell: (line: string) => note(terminal, line),
    clock: systemClock,
  };
  return { ...found, ...(await removeLeaks(places, asked, options, signal)) };
}

/** The ID under which the cluster that answers has its instances; undefined: none answers. */
async function livingCluster(options: Options, config: Config, terminal: Terminal): Promise<string | undefined> {
  try {
    const uid = await inCluster(options, terminal, (client) => clusterUid(client, new AbortController().signal));
    return config.clusterId ?? uid;
  } catch (error) {
    note(terminal, `No cluster answers, so that none is known to be alive: ${errorMessage(error)}`);
    return undefined;
  }
}
