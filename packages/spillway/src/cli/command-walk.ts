import type { Command, Option } from 'commander';

/** Where the words of a command line lead. */
export interface Walk {
  /** The last command that they name. */
  readonly command: Command;
  /** The option whose value comes next. */
  readonly awaited: Option | undefined;
  /** A word where a command should be, and there is none of that name. */
  readonly unknown: string | undefined;
}

export function walk(program: Command, words: readonly string[]): Walk {
  let command = program;
  let awaited: Option | undefined;
  let mayFollow = false;
  for (const word of words) {
    const isOption = word.startsWith('-');
    const isValue: boolean = awaited !== undefined || (mayFollow && !isOption);
    const option: Option | undefined = isOption && !isValue ? withValue(command, word) : undefined;
    awaited = option?.required === true ? option : undefined;
    mayFollow = option?.optional === true;
    if (isValue || isOption) continue;
    const next = subcommand(command, word);
    if (next === undefined && command.commands.length > 0) return { command, awaited, unknown: word };
    command = next ?? command;
  }
  return { command, awaited, unknown: undefined };
}

/** Its own and those of the commands above it. */
export function optionsOf(command: Command): readonly Option[] {
  return command.parent === null ? command.options : [...command.options, ...optionsOf(command.parent)];
}

/** The option, when its value is the next word, or may be. */
function withValue(command: Command, word: string): Option | undefined {
  if (word.includes('=')) return undefined;
  return optionsOf(command).find(({ short, long }) => word === short || word === long);
}

function subcommand(command: Command, word: string): Command | undefined {
  return command.commands.find((known) => known.name() === word || known.aliases().includes(word));
}
