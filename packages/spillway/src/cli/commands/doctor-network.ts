import { randomBytes } from 'node:crypto';
import { type KubeClient, nameOf, type Node, nodes, systemClock } from '@spillway/kube';
import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { everyPage } from '../../diagnosis/every-page.ts';
import { inspectNetwork } from '../../diagnosis/network/inspect.ts';
import { isAllWell, judge } from '../../diagnosis/network/judge.ts';
import { isVirtual } from '../../diagnosis/why.ts';
import { type ClusterOptions, inCluster } from '../cluster.ts';
import { interruptible } from '../interruptible.ts';
import { CommandFailure, exitCodes, UsageError } from '../mistake.ts';
import { type OutputFormat, printAnswer } from '../output.ts';
import { renderNetwork } from '../render-network.ts';
import { note, type Terminal } from '../terminal.ts';

interface Options extends ClusterOptions {
  readonly config?: string;
  readonly runPod?: string | true;
  readonly node?: string;
  readonly namespace?: string;
  readonly image?: string;
  /** MiB */
  readonly size: number;
  readonly output: OutputFormat;
}

/** With Node.js 20 or newer, as the image of the link agent. */
const usualImage = 'docker.io/library/node:24-alpine';

/** `spillway doctor network` */
export function doctorNetworkCommand(terminal: Terminal): Command {
  return new Command('network')
    .configureHelp({ showGlobalOptions: true })
    .description(
      'run a pod on a node of the cluster and one on a virtual node, and check what each reaches of the other: addresses, names, Services, the API server',
    )
    .option('--node <name>', 'virtual node (default: the only one)')
    .option('-n, --namespace <name>', 'namespace of the test pods (default: that of the context)')
    .option(
      '--image <name>',
      `image of the test pods, with Node.js 20 or newer (default: link.image of --config, else ${usualImage})`,
    )
    .addOption(new Option('--size <mebibytes>', 'size of the large transfer').argParser(mebibytesOf).default(64))
    .action(async (_own: object, command: Command) => {
      // Commander gives the options of "doctor" to it, wherever they stand.
      const options = command.optsWithGlobals<Options>();
      if (options.runPod !== undefined) throw new UsageError('--run-pod is not for "doctor network"');
      const onProgress = (doing: string): void => note(terminal, doing);
      const image = options.image ?? (await configuredImage(options.config)) ?? usualImage;
      const report = await inCluster(
        options,
        terminal,
        async (client) => {
          const virtualNode = await chooseNode(client, options.node);
          const run = {
            id: randomBytes(4).toString('hex'),
            namespace: options.namespace ?? client.config.namespace,
            image,
            nodeName: nameOf(virtualNode),
          };
          const bytes = options.size * 1024 * 1024;
          const inspected = { client, run, virtualNode, bytes, onProgress, clock: systemClock };
          return judge(await interruptible((signal) => inspectNetwork(inspected, signal)));
        },
        { tells: true },
      );
      printAnswer(terminal, report, options.output, renderNetwork);
      if (!isAllWell(report)) terminal.exitCode = exitCodes.findings;
    });
}

async function configuredImage(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : (await loadConfig(file)).link.image;
}

/** @throws UsageError when it is not clear which one is meant */
async function chooseNode(client: KubeClient, name: string | undefined): Promise<Node> {
  const all = (await everyPage(client, nodes, {})).filter(isVirtual);
  const [first, ...others] = name === undefined ? all : all.filter((node) => nameOf(node) === name);
  const names = all.map(nameOf).join(', ');
  if (all.length === 0) {
    throw new CommandFailure('there is no virtual node: run "spillway doctor"', exitCodes.failure);
  }
  if (first === undefined) throw new UsageError(`there is no virtual node "${name}"; there are: ${names}`);
  if (others.length > 0) throw new UsageError(`there are several virtual nodes, choose one with --node: ${names}`);
  return first;
}

function mebibytesOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It must be a number of MiB from 1 to 99999.');
  return Number(text);
}
