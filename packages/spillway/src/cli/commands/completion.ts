import { Argument, Command } from 'commander';
import { candidates } from '../completion/candidates.ts';
import { completionScripts, type Shell, shells } from '../completion/scripts.ts';
import type { Terminal } from '../terminal.ts';

/** `spillway completion SHELL` */
export function completionCommand(terminal: Terminal): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell: Shell) => {
      terminal.stdout.write(completionScripts[shell]);
    });
}

/**
 * Answers a shell, or kubectl for its plugin.
 *
 * @param args the words so far; before them `--kubectl` when kubectl asks, which wants a directive as last line
 *   (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/)
 */
export function printCandidates(program: Command, args: readonly string[], terminal: Terminal): void {
  const forKubectl = args[0] === '--kubectl';
  const lines = candidates(program, forKubectl ? args.slice(1) : args);
  // 4: no file names.
  terminal.stdout.write([...lines, ...(forKubectl ? [':4'] : []), ''].join('\n'));
}
