import type { Command, Option } from 'commander';

/**
 * What may stand next on a command line. Pure.
 *
 * @param words everything after the program's name; the last one is being typed, perhaps still empty
 */
export function candidates(program: Command, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? '';
  let command = program;
  let awaited: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (awaited !== undefined) awaited = undefined;
    else if (word.startsWith('-')) awaited = withValue(command, word);
    else command = subcommand(command, word) ?? command;
  }
  const all = awaited === undefined ? nextWords(command, typed) : (awaited.argChoices ?? []);
  return all.filter((candidate) => candidate.startsWith(typed));
}

/** The option, when its value is the next word. */
function withValue(command: Command, word: string): Option | undefined {
  if (word.includes('=')) return undefined;
  const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
  return option?.required === true ? option : undefined;
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((known) => known.name() === word || known.aliases().includes(word));
}

function nextWords(command: Command, typed: string): readonly string[] {
  if (typed.startsWith('-')) return ['--help', ...optionsOf(command).flatMap(({ long }) => long ?? [])];
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...command.commands.map((known) => known.name()), ...choices];
}

/** Its own and those of the commands above it. */
function optionsOf(command: Command): readonly Option[] {
  return command.parent === null ? command.options : [...command.options, ...optionsOf(command.parent)];
}
