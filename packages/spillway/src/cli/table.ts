import { stripVTControlCharacters } from 'node:util';

/** Columns under their headings, as kubectl prints them. Texts may have colours. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ''))));
  return lines
    .map((line) => line.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('   '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** `name: text` lines with the texts under each other. */
export function fields(entries: readonly (readonly [name: string, text: string])[]): string {
  const longest = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(
      ([name, text]) => `${`${name}:`.padEnd(longest + 2)}${text.replaceAll('\n', `\n${' '.repeat(longest + 2)}`)}\n`,
    )
    .join('');
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
