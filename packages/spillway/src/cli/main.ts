#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.ts';
import { ownVersion } from './own-version.ts';

/** What shells call. Not a command, so that options among the words stay words. */
const completeCommand = '__complete';

const program = new Command('spillway')
  .description('Bursts Kubernetes pods to serverless containers')
  .version(await ownVersion())
  .option('--no-color', 'no colours, also on a terminal')
  .showHelpAfterError('(run "spillway --help" for what there is)');
await addCommands(program, process.argv.slice(2));
throwInPlaceOfExit(program);

// Whoever read the output has had enough: `spillway … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  if (process.argv[2] === completeCommand) {
    const { printCandidates } = await import('./commands/completion.ts');
    printCandidates(program, process.argv.slice(3));
  } else {
    await program.parseAsync();
  }
} catch (error) {
  const { exitCodeOf } = await import('./exit-code.ts');
  const code = exitCodeOf(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  // Commander has said it already.
  if (!(error instanceof CommanderError)) process.stderr.write(`${error.message}\n`);
  process.exitCode = code;
}

/** Commander leaves the process with 1 otherwise, which is for what is nobody's mistake. */
function throwInPlaceOfExit(command: Command): void {
  command.exitOverride();
  for (const below of command.commands) throwInPlaceOfExit(below);
}
