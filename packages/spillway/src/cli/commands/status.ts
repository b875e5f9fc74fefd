import { type Pod, pods } from '@spillway/kube';
import { Command } from 'commander';
import { everyPage } from '../../diagnosis/every-page.ts';
import { readInstalled, readRollout } from '../../install/read.ts';
import { statusReport, type StatusReport } from '../../install/status.ts';
import { readHibernating } from '../../removal/read-hibernating.ts';
import { counted } from '../../podspec/words.ts';
import { type ClusterOptions, inCluster, withClusterOptions } from '../cluster.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes } from '../mistake.ts';
import { coloured, outputOption, type OutputFormat, printAnswer } from '../output.ts';
import { section } from '../render-removal.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { installableOf } from '../written-config.ts';

interface Options extends ClusterOptions {
  readonly name: string;
  readonly namespace: string;
  readonly output: OutputFormat;
}

/** `spillway status` */
export function statusCommand(terminal: Terminal): Command {
  return withClusterOptions(new Command('status'))
    .option('--name <name>', 'name of the installation', 'spillway')
    .option('--namespace <name>', 'namespace of the installation', 'spillway-system')
    .addOption(outputOption())
    .action(async (options: Options) => {
      const report = await read(options, terminal);
      printAnswer(terminal, report, options.output, render);
      if (!report.healthy) terminal.exitCode = exitCodes.findings;
    });
}

async function read(options: Options, terminal: Terminal): Promise<StatusReport> {
  const { name, namespace } = options;
  return await inCluster(options, terminal, (client) =>
    interruptible(async (signal) => {
      const installed = await readInstalled(client, name, namespace, signal);
      if (installed?.configText === undefined) {
        const message = `there is no installation "${name}" in the namespace ${namespace}. Say where it is with --namespace, or install one: spillway install`;
        throw new CommandFailure(message, exitCodes.failure);
      }
      const { config } = installableOf(installed.configText, 'config.yaml', namespace);
      const rollout = await readRollout(client, config, namespace, signal);
      const burstPods: Pod[] = [];
      for (const { nodeName } of config.pools) {
        burstPods.push(...(await everyPage(client, pods, { fieldSelector: `spec.nodeName=${nodeName}`, signal })));
      }
      const hibernating = await readHibernating(client, signal);
      return statusReport({ config, namespace, rollout, burstPods, hibernating });
    }),
  );
}

function render({
  installation,
  namespace,
  image,
  healthy,
  problems,
  hibernation,
  replicas,
  pods: own,
  pools,
}: StatusReport): string {
  const word = healthy ? coloured('green', 'healthy') : coloured('red', 'not healthy');
  return [
    `"${installation}" in ${namespace}: ${word}. ${replicas.ready} of ${replicas.wanted} replicas ready, with ${image}\n`,
    hibernation === undefined ? '' : `${coloured('yellow', hibernationText(hibernation))}\n`,
    table(
      ['POD', 'NODE', 'READY', 'RESTARTS', 'LEADS'],
      own.map(({ name, node = '–', ready, restarts, leads }) => [
        name,
        node,
        ready ? 'yes' : 'no',
        String(restarts),
        leads.join(', ') || '–',
      ]),
    ),
    table(
      ['POOL', 'NODE', 'READY', 'VERSION', 'BURST PODS'],
      pools.map(({ name, node, ready, version = '–', burstPods }) => [
        name,
        node,
        ready ? 'yes' : 'no',
        version,
        phases(burstPods),
      ]),
    ),
    section('Problems', 'red', problems),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function hibernationText({ since, to, workloads }: NonNullable<StatusReport['hibernation']>): string {
  const what =
    to === undefined ? '' : `Hibernates, ${to === 'zero' ? 'to zero' : 'to local'}: the virtual nodes take no pods. `;
  return `${what}${counted(workloads, 'workload')} to be given back, since ${since}. "spillway resume" does it`;
}

function phases(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([phase, count]) => `${count} ${phase}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
