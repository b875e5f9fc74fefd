import { styleText } from 'node:util';
import { Option } from 'commander';
import { stringify } from 'yaml';
import type { Terminal } from './terminal.ts';

export type OutputFormat = 'table' | 'json' | 'yaml';

export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'table for people, json or yaml for programs')
    .choices(['table', 'json', 'yaml'])
    .default('table');

/** Prints an answer: for programs as it is, for people as `render` shows it. */
export function printAnswer<T>(
  terminal: Terminal,
  answer: T,
  format: OutputFormat,
  render: (answer: T) => string,
): void {
  terminal.stdout.write(
    format === 'json'
      ? `${JSON.stringify(answer, undefined, 2)}\n`
      : format === 'yaml'
        ? stringify(answer, { aliasDuplicateObjects: false })
        : render(answer),
  );
}

export type Colour = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

/** In colour on a terminal, unless NO_COLOR or --no-color say otherwise (https://no-color.org). */
export function coloured(colour: Colour, text: string): string {
  return process.argv.includes('--no-color') ? text : styleText(colour, text, { stream: process.stdout });
}
