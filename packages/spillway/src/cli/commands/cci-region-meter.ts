import type * as standinModule from '@spillway/cci-standin';
import type { Reading } from '@spillway/cci-standin';
import { Command, Option } from 'commander';
import { table } from '../table.ts';
import { print, type Terminal } from '../terminal.ts';

export type Standin = typeof standinModule;

/** `spillway cci-region meter` */
export function meterCommand(
  terminal: Terminal,
  withStandin: (command: Command, work: (standin: Standin) => Promise<void>) => Promise<void>,
): Command {
  return new Command('meter')
    .description('show what pods in the region were billed for, measured by what runs there and not by Spillway')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text'))
    .action(({ output }: { output: string }, command: Command) =>
      withStandin(command, async ({ meterOfRegion }) => {
        const reading = await meterOfRegion();
        print(terminal, output === 'json' ? JSON.stringify(reading ?? null, undefined, 2) : render(reading));
      }),
    );
}

function render(reading: Reading | undefined): string {
  if (reading === undefined) return 'There is no region. Start one: spillway cci-region up';
  const { at, running, bills, overlapping } = reading;
  const rows = bills.map(({ uid, namespace, name, size, start, end = 'running', seconds }) => [
    namespace,
    name,
    uid,
    `${size.vcpu} CPU, ${size.gib} GiB`,
    start,
    end,
    String(seconds),
  ]);
  return [
    `At ${at} pods: ${bills.length}, running: ${running}`,
    ...(overlapping.length > 0 ? [`Billed twice: ${overlapping.join(', ')}`] : []),
    ...(rows.length > 0
      ? ['', table(['NAMESPACE', 'POD', 'UID', 'SIZE', 'START', 'END', 'SECONDS'], rows).trimEnd()]
      : []),
  ].join('\n');
}
