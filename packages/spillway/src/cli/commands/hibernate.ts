import { systemClock } from '@spillway/kube';
import { Command, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { hibernate, type HibernateOptions, planHibernation } from '../../hibernation/hibernate.ts';
import type { Scope } from '../../hibernation/read-workloads.ts';
import type { HibernationReport } from '../../hibernation/report.ts';
import { resume } from '../../hibernation/resume.ts';
import { type HibernationTarget, hibernationTargets } from '../../podspec/hibernation.ts';
import { clusterUid } from '../../serve/connect.ts';
import { wholeNumber } from '../arguments.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { confirm } from '../confirm.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes } from '../mistake.ts';
import { withPools } from '../open-pools.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderHibernation, renderResume } from '../render-hibernation.ts';
import { note, type Terminal } from '../terminal.ts';

interface ScopeOptions extends ClusterOptions {
  readonly namespace?: string;
  readonly selector?: string;
  readonly dryRun?: true;
  readonly output: OutputFormat;
}

interface Options extends ScopeOptions {
  readonly config: string;
  readonly to: HibernationTarget;
  readonly deletePods?: true;
  readonly timeout: number;
  readonly yes?: true;
}

const usualTimeoutSeconds = 600;

/** `spillway hibernate` */
export function hibernateCommand(terminal: Terminal): Command {
  const command = withClusterOptions(new Command('hibernate'))
    .requiredOption('--config <file>', 'configuration file of the installation')
    .addOption(
      new Option(
        '--to <target>',
        'local: pods run on the nodes of the cluster only; zero: workloads that may burst have no pods',
      )
        .choices(hibernationTargets)
        .makeOptionMandatory(),
    );
  return withScopeOptions(command, 'hibernate')
    .option(
      '--delete-pods',
      'also end burst pods that no workload creates again; "spillway resume" cannot give them back',
    )
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait until nothing runs; what does then is reported')
        .argParser(wholeNumber)
        .default(usualTimeoutSeconds),
    )
    .option('--yes', 'do not ask')
    .action(async (options: Options) => {
      const report = await hibernated(options, terminal);
      printAnswer(terminal, report, options.output, renderHibernation);
      if (report.remains.length > 0) terminal.exitCode = exitCodes.findings;
    });
}

/** `spillway resume` */
export function resumeCommand(terminal: Terminal): Command {
  return withScopeOptions(withClusterOptions(new Command('resume')), 'resume').action(async (options: ScopeOptions) => {
    const asked = {
      scope: scopeOf(options),
      dryRun: options.dryRun === true,
      tell: (line: string) => note(terminal, line),
      clock: systemClock,
    };
    const report = await inCluster(options, terminal, (client) =>
      stoppable('resume', terminal, (signal) => resume({ client, ...asked }, signal)),
    );
    printAnswer(terminal, report, options.output, renderResume);
    if (report.remains.length > 0) terminal.exitCode = exitCodes.findings;
  });
}

function withScopeOptions(command: Command, verb: string): Command {
  return command
    .option('-n, --namespace <name>', `${verb} only workloads of this namespace`)
    .option('-l, --selector <selector>', `${verb} only workloads with these labels, for example app=web`)
    .option('--dry-run', 'change nothing; show what would be changed')
    .addOption(outputOption());
}

const scopeOf = ({ namespace, selector }: ScopeOptions): Scope => ({ namespace, selector });

async function hibernated(options: Options, terminal: Terminal): Promise<HibernationReport> {
  const config = await loadConfig(options.config);
  const work = async (whole: HibernateOptions): Promise<HibernationReport> => {
    const plan = (): Promise<HibernationReport> => interruptible((signal) => planHibernation(whole, signal));
    if (options.dryRun) return await plan();
    if (!options.yes) {
      note(terminal, renderHibernation(await plan()));
      await confirm('Hibernate this?', 'hibernate this');
    }
    return await stoppable('hibernate', terminal, (signal) => hibernate(whole, signal));
  };
  return await inCluster(
    options,
    terminal,
    async (client) => {
      const clusterId = config.clusterId ?? (await clusterUid(client, new AbortController().signal));
      return await withPools(config, clusterId, (pools) =>
        work({
          client,
          config,
          clusterId,
          pools,
          scope: scopeOf(options),
          to: options.to,
          deletePods: options.deletePods === true,
          timeoutMs: options.timeout * 1000,
          tell: (line) => note(terminal, line),
          clock: systemClock,
        }),
      );
    },
    { tells: true },
  );
}

/** Says how to go on when it is stopped. */
async function stoppable<T>(
  verb: 'hibernate' | 'resume',
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await interruptible(work);
  } catch (error) {
    if (error instanceof CommandFailure) {
      const other = verb === 'hibernate' ? ', or "spillway resume" to give back what was changed' : '';
      note(terminal, `Stopped in the middle: run the same command again to finish${other}`);
    }
    throw error;
  }
}
