import type { Command } from 'commander';
import { optionsOf, walk } from '../command-walk.ts';

/**
 * What may stand next on a command line. Pure.
 *
 * @param words everything after the program's name; the last one is being typed, perhaps still empty
 */
export function candidates(program: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? '';
  const { command, awaited } = walk(program, words.slice(0, -1));
  const all = awaited === undefined ? nextWords(command, typed) : (awaited.argChoices ?? []);
  return all.filter((candidate) => candidate.startsWith(typed));
}

function nextWords(command: Command, typed: string): readonly string[] {
  if (typed.startsWith('-')) return ['--help', ...optionsOf(command).flatMap(({ long }) => long ?? [])];
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...command.commands.map((known) => known.name()), ...choices];
}
