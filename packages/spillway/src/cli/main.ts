#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { completionCommand, printCandidates } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { manifestsCommand } from './commands/manifests.ts';
import { planCommand } from './commands/plan.ts';
import { serveCommand } from './commands/serve.ts';
import { whyCommand } from './commands/why.ts';
import { versionCommand } from './commands/version.ts';
import { exitCodeOf, throwInPlaceOfExit } from './mistake.ts';
import { ownVersion } from './own-version.ts';

/** What shells call. Not a command, so that options among the words stay words. */
const completeCommand = '__complete';

const program = new Command('spillway')
  .description('Bursts Kubernetes pods to serverless containers')
  .version(await ownVersion())
  .option('--no-color', 'no colours, also on a terminal')
  .showHelpAfterError('(run "spillway --help" for what there is)')
  .addCommand(serveCommand())
  .addCommand(configCommand())
  .addCommand(manifestsCommand())
  .addCommand(whyCommand())
  .addCommand(planCommand())
  .addCommand(doctorCommand())
  .addCommand(completionCommand())
  .addCommand(versionCommand());

// Development clusters are no part of what runs in a cluster, so their code is loaded only for those who ask for it.
const completing = process.argv[2] === completeCommand;
if (process.argv[2] === 'dev' || (completing && process.argv.includes('dev'))) {
  const { devCommand } = await import('./commands/dev.ts');
  program.addCommand(devCommand());
} else {
  program.command('dev').description('real Kubernetes clusters on this machine, for development');
}

throwInPlaceOfExit(program);

// Whoever read the output has had enough: `spillway … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  if (completing) printCandidates(program, process.argv.slice(3));
  else await program.parseAsync();
} catch (error) {
  const code = exitCodeOf(error);
  if (code === undefined || !(error instanceof Error)) throw error;
  // Commander has said it already.
  if (!(error instanceof CommanderError)) process.stderr.write(`${error.message}\n`);
  process.exitCode = code;
}
