import { errorMessage, KubeconfigError, systemClock, TransportError } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import { asInstalled } from '../../addon/installation/installed-config.ts';
import { loadConfig } from '../../config/load.ts';
import { namespaceOf } from '../../install/read.ts';
import type { RemovalReport } from '../../removal/report.ts';
import { planUninstall, uninstall, type UninstallOptions } from '../../removal/uninstall.ts';
import { clusterUid } from '../../serve/connect.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { confirm } from '../confirm.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes, UsageError } from '../mistake.ts';
import { withPools } from '../open-pools.ts';
import { outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { renderRemoval } from '../render-removal.ts';
import { note, type Terminal } from '../terminal.ts';

interface Options extends ClusterOptions {
  readonly config: string;
  readonly namespace?: string;
  readonly dryRun?: true;
  readonly offline?: true;
  readonly helmHook?: true;
  readonly clusterId?: string;
  readonly keepCrds?: true;
  readonly grace?: number;
  readonly timeout: number;
  readonly yes?: true;
  readonly output: OutputFormat;
}

const usualTimeoutSeconds = 600;
const whereTheIdIs =
  'It is the UID of the namespace kube-system, in the label spillway.dev/cluster of the namespace on the other side; "spillway leaks --config FILE" lists it';

/** `spillway uninstall` */
export function uninstallCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('uninstall'))
    .requiredOption('--config <file>', 'configuration file of the installation')
    .option('--namespace <name>', 'namespace of the installation (default: that of its Deployment)')
    .option('--dry-run', 'change nothing; show what would be removed, and what becomes of the pods')
    .option('--offline', 'the cluster no longer exists: remove only what the backends have of it')
    .option('--cluster-id <id>', 'with --offline: whose instances to remove (default: clusterId of the configuration)')
    .option(
      '--helm-hook',
      'as the chart runs it before Helm removes a release: the namespace and the release are left to Helm',
    )
    .option('--keep-crds', 'keep the CustomResourceDefinition ScheduleProfile and its objects')
    .option('--grace <seconds>', 'grace period of the pods (default: their own)', secondsOf)
    .addOption(
      new Option('--timeout <seconds>', 'how long to try; what is left then is reported')
        .argParser(secondsOf)
        .default(usualTimeoutSeconds),
    )
    .option('--yes', 'do not ask')
    .addOption(outputOption())
    .action(async (options: Options) => {
      const report = await run(options, terminal);
      printAnswer(terminal, report, options.output, renderRemoval);
      if (report.remains.length > 0) terminal.exitCode = exitCodes.findings;
    });
}

async function run(options: Options, terminal: Terminal): Promise<RemovalReport> {
  const { clusterId, offline, helmHook } = options;
  if (helmHook && options.namespace === undefined) throw new UsageError('--helm-hook needs --namespace');
  if (helmHook && offline) throw new UsageError('--helm-hook and --offline exclude each other');
  if (clusterId !== undefined && !offline) throw new UsageError('--cluster-id needs --offline');
  const config = await loadConfig(options.config);
  if (offline) {
    const id = clusterId ?? config.clusterId;
    if (id === undefined) throw new UsageError(`--offline needs --cluster-id. ${whereTheIdIs}`);
    return await withPools(config, id, (pools) =>
      remove(options, { config, clusterId: id, pools, cluster: undefined }, terminal),
    );
  }
  try {
    return await inCluster(
      options,
      terminal,
      async (client) => {
        const forever = new AbortController().signal;
        const uid = await clusterUid(client, forever);
        const confirmCluster = async (signal: AbortSignal): Promise<boolean> =>
          (await clusterUid(client, signal)) === uid;
        const id = config.clusterId ?? uid;
        const namespace = options.namespace ?? (await namespaceOf(client, config.name, forever));
        const installed = namespace === undefined ? config : asInstalled(config, namespace);
        return await withPools(config, id, (pools) =>
          remove(options, { config: installed, clusterId: id, pools, cluster: { client, confirmCluster } }, terminal),
        );
      },
      { tells: true },
    );
  } catch (error) {
    if (!(error instanceof TransportError) && !(error instanceof KubeconfigError)) throw error;
    const hint = 'If the cluster no longer exists, use --offline --cluster-id ID to remove what it has left elsewhere';
    throw new CommandFailure(`${errorMessage(error)}. ${hint}. ${whereTheIdIs}`, exitCodes.failure, { cause: error });
  }
}

type Parts = Pick<UninstallOptions, 'config' | 'clusterId' | 'pools' | 'cluster'>;

async function remove(options: Options, parts: Parts, terminal: Terminal): Promise<RemovalReport> {
  const whole: UninstallOptions = {
    ...parts,
    scope: options.helmHook && options.namespace !== undefined ? { namespace: options.namespace } : undefined,
    graceSeconds: options.grace,
    keepCrds: options.keepCrds === true,
    timeoutMs: options.timeout * 1000,
    tell: (line) => note(terminal, line),
    clock: systemClock,
  };
  if (options.dryRun) return await interruptible((signal) => planUninstall(whole, signal));
  if (!options.yes) {
    note(terminal, renderRemoval(await interruptible((signal) => planUninstall(whole, signal))));
    await confirm('Remove this?', 'remove this');
  }
  try {
    return await interruptible((signal) => uninstall(whole, signal));
  } catch (error) {
    if (error instanceof CommandFailure) {
      note(
        terminal,
        'Stopped in the middle: run the same command again to finish. Until then the virtual nodes take no pods; to use Spillway again, apply its manifests, delete the leases that uninstall-… holds, start it and uncordon the nodes.',
      );
    }
    throw error;
  }
}

function secondsOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}
