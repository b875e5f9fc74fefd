import { Command, Option } from 'commander';
import type { NodeFacts, NodeForm, RegionFactSheet } from '@spillway/cci-standin';
import { interruptible } from '../interruptible.ts';
import { exitCodes } from '../mistake.ts';
import { withPackage } from '../optional-package.ts';
import { note, print, type Terminal } from '../terminal.ts';
import { meterCommand, type Standin } from './cci-region-meter.ts';

const withStandin = withPackage<Standin>({
  name: '@spillway/cci-standin',
  load: () => import('@spillway/cci-standin'),
  exitCodeOf: (error, { RegionError, DevClusterError }) => {
    if (error instanceof RegionError) return error.kind === 'invalid' ? exitCodes.mistake : exitCodes.failure;
    if (!(error instanceof DevClusterError)) return undefined;
    return ['invalid', 'exists', 'notFound'].includes(error.kind) ? exitCodes.mistake : exitCodes.failure;
  },
});

interface OutputOptions {
  readonly output: string;
}

interface UpOptions extends OutputOptions {
  readonly host?: string;
  readonly node?: 'none' | NodeForm;
}

/** `spillway cci-region …`: a CCI region on this machine, for rehearsals. Not part of what runs in a cluster. */
export function cciRegionCommand(terminal: Terminal): Command {
  const region = new Command('cci-region');
  region
    .command('up')
    .description('start a region that stays until "cci-region down"; does nothing if it is already up')
    .option('--host <address>', 'where clients reach it: loopback or an address of a test network (default: 127.0.0.1)')
    .addOption(
      new Option(
        '--node <form>',
        'what runs the pods; "none": nothing, they stay Pending (default: containers where they can run, else simulated)',
      ).choices(['containers', 'simulated', 'none']),
    )
    .addOption(outputOption())
    .action(({ host, node, output }: UpOptions, command: Command) =>
      withStandin(command, async (standin) => {
        const facts = await interruptible((signal) =>
          standin.upRegion({
            program: ownCommandLine(),
            ...(host === undefined ? {} : { host }),
            ...(node === undefined ? {} : { node }),
            log: (line) => note(terminal, line),
            signal,
          }),
        );
        print(terminal, render(facts, output));
      }),
    );
  region
    .command('down')
    .description('remove the region and everything in it')
    .action((_options: object, command: Command) =>
      withStandin(command, async (standin) =>
        note(terminal, (await standin.downRegion()) ? 'the region is gone' : 'there is no region'),
      ),
    );
  region
    .command('connect')
    .argument('<cluster>', 'name of a cluster of "spillway dev up"')
    .description('let pods of the region and of a cluster reach each other, like a peering of two VPCs')
    .action((cluster: string, _options: object, command: Command) =>
      withStandin(command, async (standin) => {
        const { nameServer } = await standin.connectRegion(cluster);
        note(terminal, `pods of the region and of cluster "${cluster}" reach each other until either is taken down`);
        note(terminal, `for names of the cluster, in the pool's configuration: dns: { clusterDNS: [${nameServer}] }`);
      }),
    );
  region
    .command('status')
    .description('show how to reach the region, with its credentials')
    .addOption(outputOption())
    .action(({ output }: OutputOptions, command: Command) =>
      withStandin(command, async (standin) => print(terminal, render(await standin.statusOfRegion(), output))),
    );
  region.addCommand(meterCommand(terminal, withStandin));
  return region;
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text');
}

function render(facts: RegionFactSheet | undefined, output: string): string {
  if (output === 'json') return JSON.stringify(facts ?? null, undefined, 2);
  return facts === undefined ? 'There is no region. Start one: spillway cci-region up' : describe(facts);
}

function describe({ region, endpoint, iamEndpoint, caFile, accounts, swr, node, log }: RegionFactSheet): string {
  return [
    `Region ${region} is up at ${endpoint}.`,
    '',
    `  IAM:         ${iamEndpoint}`,
    `  SWR:         ${swr.endpoint} as ${swr.host}, logins from ${swr.apiEndpoint}`,
    `  authority:   ${caFile}`,
    ...accounts.flatMap(({ domain, project, users }) => [
      `  domain:      ${domain.name} (${domain.id})`,
      `  project:     ${project.name} (${project.id})`,
      ...users.flatMap(({ name, password, accessKeys }) => [
        `  user:        ${name}, password ${password}`,
        ...accessKeys.map(({ accessKey, secretKey }) => `  key:         ${accessKey} ${secretKey}`),
      ]),
    ]),
    ...describeNode(node),
    `  log:         ${log}`,
    '  stop it:     spillway cci-region down',
  ].join('\n');
}

function describeNode(node: NodeFacts): string[] {
  if (node.form === 'none') return ['  node:        none, pods stay Pending'];
  const { form, ready, podCidr, log, connectedTo } = node;
  return [
    `  node:        ${form}, ${ready ? 'ready' : 'not ready'}, pods in ${podCidr}`,
    `  node's log:  ${log}`,
    ...(connectedTo === undefined ? [] : [`  connected:   cluster ${connectedTo}`]),
  ];
}

/** The region's node is this program, started once more. */
function ownCommandLine(): string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)];
}
