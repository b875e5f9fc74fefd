import { Command } from 'commander';
import { walk } from './command-walk.ts';
import { addCommands } from './commands.ts';
import { UsageError } from './mistake.ts';
import { ownVersion } from './own-version.ts';
import { note, type Terminal } from './terminal.ts';

/** What shells call. Not a command, so that options among the words stay words. */
const completeCommand = '__complete';

/**
 * Runs one command line to its end, whatever it says going to the terminal; sets the exit code there, unless it is 0.
 *
 * @param words what stands behind the program's name
 * @throws what no message to people explains: a defect
 */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<void> {
  const program = new Command('spillway')
    .description('Bursts Kubernetes pods to serverless containers')
    .version(await ownVersion())
    .option('--no-color', 'no colours, even on a terminal')
    .showHelpAfterError('(run "spillway --help" for what there is)');
  await addCommands(program, words, terminal);
  speakThrough(program, terminal);
  try {
    if (words[0] === completeCommand) {
      const { printCandidates } = await import('./commands/completion.ts');
      printCandidates(program, words.slice(1), terminal);
    } else {
      requireKnown(program, words);
      await program.parseAsync(words, { from: 'user' });
    }
  } catch (error) {
    const { toldOf } = await import('./told.ts');
    const told = toldOf(error);
    if (told === undefined) throw error;
    if (told.text !== '') note(terminal, told.text);
    if (told.exitCode !== 0) terminal.exitCode = told.exitCode;
  }
}

/** Left to itself, Commander answers an unknown command with success when there is a `--help` behind it. */
function requireKnown(program: Command, words: readonly string[]): void {
  // The help of a command: `help serve`.
  const [first, ...rest] = words;
  const { command, unknown } = walk(program, first === 'help' ? rest : words);
  if (unknown === undefined || unknown === 'help') return;
  const names = command.commands.map((known) => known.name());
  const asked = command.parent === null ? 'command' : `command of "spillway ${command.name()}"`;
  throw new UsageError(`there is no ${asked} "${unknown}"; there are: ${names.join(', ')}`);
}

/** Left to itself, Commander ends the process with 1, which is for what is nobody's mistake. */
function speakThrough(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.stdout.write(text),
    writeErr: (text) => terminal.stderr.write(text),
  });
  for (const below of command.commands) speakThrough(below, terminal);
}
