import { silentLogger, systemClock } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import { silenceThere } from '../../backends/kubernetes/survey.ts';
import { loadConfig } from '../../config/load.ts';
import { type DeadManOptions, endSilent, type SilenceReport } from '../../removal/dead-man.ts';
import { makeSurvey } from '../../serve/backends.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { interruptible } from '../interruptible.ts';
import { exitCodes, UsageError } from '../mistake.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { table } from '../table.ts';
import { note, type Terminal } from '../terminal.ts';

interface Options extends ClusterOptions {
  readonly config?: string;
  readonly inNamespace?: string;
  readonly clusterId?: string;
  readonly node?: string;
  readonly dryRun?: true;
  readonly grace: number;
  readonly timeout: number;
  readonly output: OutputFormat;
}

interface DeadManReport {
  readonly dryRun: boolean;
  readonly clusterId: string;
  readonly nodes: readonly SilenceReport[];
}

/** `spillway dead-man` */
export function deadManCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('dead-man'))
    .option('--config <file>', 'configuration file: its pools with deadMan are looked at')
    .option(
      '--in-namespace <name>',
      'look at one virtual node in this namespace of the cluster, as the installed job does',
    )
    .option('--cluster-id <id>', 'whose virtual nodes (default: clusterId of the configuration)')
    .option('--node <name>', 'with --in-namespace: the virtual node')
    .option('--dry-run', 'change nothing; show which instances would be ended if no heartbeat comes')
    .addOption(seconds('--grace <seconds>', 'grace period of the instances', 30))
    .addOption(seconds('--timeout <seconds>', 'how long to try; what is left then is reported', 600))
    .addOption(outputOption())
    .action(async (options: Options) => {
      const report = await run(options, terminal);
      printAnswer(terminal, report, options.output, render);
      const isBad = report.nodes.some(
        ({ state, remains }) => state === 'unknown' || state === 'no-heartbeat' || remains.length > 0,
      );
      if (isBad) terminal.exitCode = exitCodes.findings;
    });
}

async function run(options: Options, terminal: Terminal): Promise<DeadManReport> {
  const { config, inNamespace } = options;
  if ((config === undefined) === (inNamespace === undefined))
    throw new UsageError('say either --config or --in-namespace');
  const dryRun = options.dryRun === true;
  const what: DeadManOptions = {
    dryRun,
    graceSeconds: options.grace,
    timeoutMs: options.timeout * 1000,
    tell: (line) => note(terminal, line),
    clock: systemClock,
  };
  if (config !== undefined) return await ofConfig(config, options.clusterId, what);
  const { clusterId, node } = options;
  if (inNamespace === undefined || clusterId === undefined || node === undefined) {
    throw new UsageError('--in-namespace needs --cluster-id and --node');
  }
  const nodes = await inCluster(
    options,
    terminal,
    (client) => {
      const silence = silenceThere(client, { clusterId, nodeName: node }, inNamespace);
      return interruptible((signal) => endSilent([{ node, silence }], what, signal));
    },
    { tells: true },
  );
  return { dryRun, clusterId, nodes };
}

async function ofConfig(file: string, id: string | undefined, what: DeadManOptions): Promise<DeadManReport> {
  const { clusterId = id, pools } = await loadConfig(file);
  if (clusterId === undefined) {
    throw new UsageError(
      'say whose virtual nodes with --cluster-id, for the cluster may not exist any more. It is the UID of the namespace kube-system; "spillway leaks --config FILE" lists it',
    );
  }
  const watched = pools.flatMap(({ deadMan, backend, nodeName }) => {
    const survey = deadMan && makeSurvey(backend, { clusterId, environment: process.env, logger: silentLogger });
    return survey ? [{ node: nodeName, survey, silence: survey.silence({ clusterId, nodeName }) }] : [];
  });
  if (watched.length === 0) throw new UsageError(`no pool in ${file} has deadMan: nothing would ever be ended`);
  try {
    const nodes = await interruptible((signal) => endSilent(watched, what, signal));
    return { dryRun: what.dryRun, clusterId, nodes };
  } finally {
    await Promise.allSettled(watched.map(({ survey }) => survey.close()));
  }
}

const words: Readonly<Record<SilenceReport['state'], string>> = {
  alive: 'alive',
  'no-heartbeat': 'no heartbeat',
  silent: 'silent',
  unknown: 'unknown',
};

function render({ dryRun, clusterId, nodes }: DeadManReport): string {
  const all = table(
    ['NODE', 'STATE', 'SILENT FOR', 'LIMIT', dryRun ? 'WOULD END' : 'ENDED', 'REMAIN'],
    nodes.map(({ node, state, silentSeconds, afterSeconds, ended, remains }) => [
      node,
      words[state],
      silentSeconds === undefined ? '–' : `${silentSeconds} s`,
      afterSeconds === undefined ? '–' : `${afterSeconds} s`,
      String(ended.length),
      String(remains.length),
    ]),
  );
  const reasons = nodes.flatMap(({ node, why }) => (why === undefined ? [] : [`${node}: ${why}`]));
  return [`Cluster ${clusterId}\n`, all, ...reasons.map((line) => `${line}\n`)].join('');
}

const seconds = (flag: string, what: string, usual: number): Option =>
  new Option(flag, what).argParser(secondsOf).default(usual);

function secondsOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}
