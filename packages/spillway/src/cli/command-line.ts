import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.ts';
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
    .option('--no-color', 'no colours, also on a terminal')
    .showHelpAfterError('(run "spillway --help" for what there is)');
  await addCommands(program, words, terminal);
  speakThrough(program, terminal);
  try {
    if (words[0] === completeCommand) {
      const { printCandidates } = await import('./commands/completion.ts');
      printCandidates(program, words.slice(1), terminal);
    } else {
      await program.parseAsync(words, { from: 'user' });
    }
  } catch (error) {
    const { exitCodeOf } = await import('./exit-code.ts');
    const code = exitCodeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    // Commander has said it already.
    if (!(error instanceof CommanderError)) note(terminal, error.message);
    terminal.exitCode = code;
  }
}

/** Left to itself, Commander ends the process with 1, which is for what is nobody's mistake. */
function speakThrough(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.stdout.write(text),
    writeErr: (text) => terminal.stderr.write(text),
  });
  for (const below of command.commands) speakThrough(below, terminal);
}
