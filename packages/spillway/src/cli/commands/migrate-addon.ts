import { errorMessage, type KubeClient, nodes, systemClock } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import { supports } from '../../backends/support.ts';
import { runningOf } from '../../cce-addon/add-on.ts';
import { moveFromAddOn } from '../../cce-addon/move.ts';
import { movesOf } from '../../cce-addon/moves.ts';
import { addOnPlaces, ownSpaces, type PlacedTrace } from '../../cce-addon/places.ts';
import { readAddOn } from '../../cce-addon/read-add-on.ts';
import { type AddOnReport, closedText, isUnfinished, openNodes, reportOf } from '../../cce-addon/report.ts';
import { loadConfig } from '../../config/load.ts';
import { everyPage } from '../../diagnosis/every-page.ts';
import { poolsOfNodes } from '../../diagnosis/pools.ts';
import { isVirtual } from '../../diagnosis/why.ts';
import { type AskPools, askPools } from '../../podspec/fit/fit.ts';
import { findLeaks, type SurveyedPlace } from '../../removal/leaks.ts';
import { clusterUid } from '../../serve/connect.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { confirm } from '../confirm.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderAddOn } from '../render-add-on.ts';
import { surveyedPlaces } from '../surveyed-places.ts';
import { note, type Terminal } from '../terminal.ts';

interface Options extends ClusterOptions {
  readonly config?: string;
  readonly adopt?: true;
  readonly yes?: true;
  readonly timeout: number;
  readonly output: OutputFormat;
}

/** `spillway migrate-addon` */
export function migrateAddonCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('migrate-addon'))
    .option('--config <file>', 'configuration file: the accounts of its pools are looked at, too')
    .option('--adopt', 'cordon the node of the add-on, and have the owners of its pods create them again on Spillway')
    .addOption(
      new Option('--timeout <seconds>', 'with --adopt: how long a workload may make no progress')
        .argParser((text) => {
          if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
          return Number(text);
        })
        .default(300),
    )
    .option('--yes', 'do not ask')
    .addOption(outputOption())
    .action(async (options: Options) => {
      const report = await inCluster(
        options,
        terminal,
        (client) => interruptible((signal) => run(options, { client, terminal }, signal)),
        { tells: options.adopt === true },
      );
      printAnswer(terminal, report, options.output, renderAddOn);
      if (isUnfinished(report)) terminal.exitCode = exitCodes.findings;
    });
}

interface Parts {
  readonly client: KubeClient;
  readonly terminal: Terminal;
}

async function run(options: Options, { client, terminal }: Parts, signal: AbortSignal): Promise<AddOnReport> {
  const places = await placesOf(options, client, signal);
  try {
    const seen = (await everyPage(client, nodes, {})).filter(isVirtual);
    const { pools } = poolsOfNodes(seen, supports);
    const ask: AskPools = askPools(pools, () => undefined);
    const addOn = await readAddOn(client, signal);
    const traces = await tracesOf(places, signal);
    const own = ownSpaces(traces.traces, runningOf(addOn));
    const plan = reportOf({
      addOn,
      adopted: false,
      workloads: movesOf(addOn, ask),
      places: addOnPlaces(traces.traces, own, addOn.pods),
      unseen: traces.unseen,
    });
    if (options.adopt !== true || addOn.nodes.length === 0) return plan;
    if (openNodes(seen).length === 0) {
      const message = `${closedText(seen)}, so that the pods would have no place. Nothing was changed. "spillway doctor" says what helps`;
      throw new CommandFailure(message, exitCodes.findings);
    }
    if (!options.yes) {
      note(terminal, renderAddOn(plan));
      await confirm('Move them?', 'move them');
    }
    const work = { client, ask, patienceMs: options.timeout * 1000, clock: systemClock };
    const tell = (line: string): void => note(terminal, line);
    const workloads = await moveFromAddOn({ ...work, tell }, signal).catch((error: unknown) => {
      note(
        terminal,
        `Stopped in the middle (${errorMessage(error)}): run the same command again to go on. "kubectl uncordon ${addOn.nodes.map(({ metadata }) => metadata?.name).join(' ')}" gives the node back to the add-on`,
      );
      throw error;
    });
    const after = await readAddOn(client, signal);
    const { traces: left, unseen } = await tracesOf(places, signal);
    return reportOf({ addOn: after, adopted: true, workloads, places: addOnPlaces(left, own, after.pods), unseen });
  } finally {
    await Promise.allSettled(places.map(({ survey }) => survey.close()));
  }
}

async function placesOf(
  { config: file }: Options,
  client: KubeClient,
  signal: AbortSignal,
): Promise<readonly SurveyedPlace[]> {
  if (file === undefined) return [];
  return surveyedPlaces(await loadConfig(file), await clusterUid(client, signal));
}

async function tracesOf(
  places: readonly SurveyedPlace[],
  signal: AbortSignal,
): Promise<{ readonly traces: readonly PlacedTrace[]; readonly unseen: readonly string[] }> {
  const { leaks, unseen } = await findLeaks(places, undefined, signal);
  return { traces: leaks, unseen };
}
