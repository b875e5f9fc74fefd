import { Command, Option } from 'commander';
import type * as devclusterModule from '@spillway/devcluster';
import type { Cluster, ClusterStatus, NodeOptions } from '@spillway/devcluster';
import { wholeNumber } from '../arguments.ts';
import { interruptible } from '../interruptible.ts';
import { exitCodes } from '../mistake.ts';
import { withPackage } from '../optional-package.ts';
import { note, print, type Terminal } from '../terminal.ts';

type DevCluster = typeof devclusterModule;

const withDevCluster = withPackage<DevCluster>({
  name: '@spillway/devcluster',
  load: () => import('@spillway/devcluster'),
  exitCodeOf: (error, { DevClusterError }) => {
    if (!(error instanceof DevClusterError)) return undefined;
    return ['invalid', 'exists', 'notFound'].includes(error.kind) ? exitCodes.mistake : exitCodes.failure;
  },
});

const defaultName = 'dev';

interface UpOptions {
  readonly node: boolean;
  readonly cpu?: string;
  readonly memory?: string;
  readonly maxPods?: number;
  readonly metricsServer?: boolean;
  readonly kubernetesVersion?: string;
}

/** `spillway dev …`: real clusters on this machine, for trying things out. Not part of what runs in a cluster. */
export function devCommand(terminal: Terminal): Command {
  const dev = new Command('dev');
  dev
    .command('up')
    .description('start a cluster that stays until "dev down"; does nothing if it is already up')
    .argument('[name]', 'name of the cluster', defaultName)
    .option('--no-node', 'a control plane alone, which needs neither root nor containers')
    .option('--cpu <quantity>', 'CPU that pods may request on the node (default: 2)')
    .option('--memory <quantity>', 'memory that pods may request on the node (default: 4Gi)')
    .option('--max-pods <number>', 'pods that the node takes (default: 110)', wholeNumber)
    .option('--metrics-server', 'with metrics-server, for kubectl top and autoscalers')
    .option(
      '--kubernetes-version <version>',
      '1.28 for the oldest that Spillway supports, with --no-node (default: newest)',
    )
    .action((name: string, options: UpOptions, command: Command) =>
      withDevCluster(command, (devcluster) => up(terminal, devcluster, name, options)),
    );
  dev
    .command('down')
    .description('remove a cluster and everything that belongs to it')
    .argument('[name]', 'name of the cluster', defaultName)
    .option('--all', 'all clusters')
    .action((name: string, options: { all?: boolean }, command: Command) =>
      withDevCluster(command, (devcluster) => down(terminal, devcluster, name, options.all ?? false)),
    );
  dev
    .command('status')
    .description('list the clusters of this machine and what runs in them')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'))
    .action((options: { output: string }, command: Command) =>
      withDevCluster(command, async (devcluster) => {
        const clusters = await devcluster.statusOfClusters();
        print(terminal, options.output === 'json' ? JSON.stringify(clusters, undefined, 2) : describe(clusters));
      }),
    );
  dev
    .command('kubeconfig')
    .description("print the path of a cluster's kubeconfig")
    .argument('[name]', 'name of the cluster', defaultName)
    .action((name: string, _options: object, command: Command) =>
      withDevCluster(command, async (devcluster) => print(terminal, (await devcluster.attachCluster(name)).kubeconfig)),
    );
  return dev;
}

async function up(terminal: Terminal, devcluster: DevCluster, name: string, options: UpOptions): Promise<void> {
  const running = await attachIfThere(devcluster, name, options);
  if (running) {
    note(terminal, `cluster "${name}" is already up`);
    print(terminal, howToUse(running));
    return;
  }
  const host = await devcluster.canRunContainers();
  const node = options.node && host.possible;
  if (options.node && !node) note(terminal, `no node, a control plane alone: ${host.reason}`);
  const cluster = await interruptible((signal) =>
    devcluster.startCluster({
      name,
      node: node && nodeOptions(options),
      ...(options.kubernetesVersion === undefined ? {} : { kubernetesVersion: options.kubernetesVersion }),
      keep: true,
      log: (line) => note(terminal, line),
      signal,
    }),
  );
  print(terminal, howToUse(cluster));
}

function nodeOptions({ cpu, memory, maxPods, metricsServer }: UpOptions): NodeOptions {
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(maxPods === undefined ? {} : { maxPods }),
    ...(metricsServer === undefined ? {} : { metricsServer }),
  };
}

async function down(terminal: Terminal, devcluster: DevCluster, name: string, all: boolean): Promise<void> {
  const names = all ? await namesOf(devcluster) : [name];
  for (const each of names) {
    if (!(await devcluster.downCluster(each)) && !all) {
      const others = await namesOf(devcluster);
      const known = others.length === 0 ? 'there are none' : `there are: ${others.join(', ')}`;
      throw new devcluster.DevClusterError('notFound', `there is no cluster "${name}"; ${known}`);
    }
    note(terminal, `cluster "${each}" is gone`);
  }
}

async function namesOf(devcluster: DevCluster): Promise<readonly string[]> {
  return (await devcluster.statusOfClusters()).map(({ name }) => name);
}

async function attachIfThere(devcluster: DevCluster, name: string, options: UpOptions): Promise<Cluster | undefined> {
  const { node, kubernetesVersion } = options;
  const wanted = {
    node: node && nodeOptions(options),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
  };
  try {
    return await devcluster.attachSame(name, wanted);
  } catch (error) {
    if (error instanceof devcluster.DevClusterError && error.kind === 'notFound') return undefined;
    throw error;
  }
}

function howToUse(cluster: Cluster): string {
  const named = cluster.name === defaultName ? '' : ` ${cluster.name}`;
  return [
    `Cluster "${cluster.name}" with Kubernetes ${cluster.kubernetesVersion} is up at ${cluster.server}.`,
    '',
    `  use it:     export KUBECONFIG=${cluster.kubeconfig}`,
    `  images:     ${cluster.registry}`,
    ...(cluster.netns ? [`  go inside:  nsenter --net=${cluster.netns}`] : []),
    `  logs:       ${cluster.dir}/logs`,
    `  stop it:    spillway dev down${named}`,
  ].join('\n');
}

function describe(clusters: readonly ClusterStatus[]): string {
  if (clusters.length === 0) return 'There are no clusters. Start one: spillway dev up';
  return clusters.map(describeOne).join('\n\n');
}

function describeOne(cluster: ClusterStatus): string {
  const width = Math.max(0, ...cluster.components.map(({ name }) => name.length));
  return [
    `${cluster.name}: ${cluster.state}${cluster.server === undefined ? '' : ` at ${cluster.server}`}`,
    ...cluster.components.map(
      ({ name, phase, pid }) => `  ${name.padEnd(width)}  ${phase}${pid === undefined ? '' : ` (pid ${pid})`}`,
    ),
  ].join('\n');
}
