#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { completionCommand, printCandidates } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { doctorCommand } from './commands/doctor.ts';
import { ledgerCommand } from './commands/ledger.ts';
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
  .addCommand(ledgerCommand())
  .addCommand(completionCommand())
  .addCommand(versionCommand());

// What simulates a cluster or a cloud is no part of what runs in a cluster, so its code is loaded only for those who ask.
const completing = process.argv[2] === completeCommand;
const asksFor = (name: string): boolean => process.argv[2] === name || (completing && process.argv.includes(name));
if (asksFor('dev')) {
  const { devCommand } = await import('./commands/dev.ts');
  program.addCommand(devCommand());
} else {
  program.command('dev').description('real Kubernetes clusters on this machine, for development');
}
if (asksFor('cci-region')) {
  const { cciRegionCommand } = await import('./commands/cci-region.ts');
  program.addCommand(cciRegionCommand());
} else {
  program.command('cci-region').description('a local CCI region, for rehearsals without an account');
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
