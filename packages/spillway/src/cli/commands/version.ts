import { Command } from 'commander';
import { ownVersion } from '../own-version.ts';
import type { Terminal } from '../terminal.ts';

export function versionCommand(terminal: Terminal): Command {
  return new Command('version').action(async () => {
    terminal.stdout.write(
      `spillway ${await ownVersion()} (Node.js ${process.version}, ${process.platform}/${process.arch})\n`,
    );
  });
}
