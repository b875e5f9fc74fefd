import { Command } from 'commander';
import { ownVersion } from '../own-version.ts';
import { print, type Terminal } from '../terminal.ts';

export function versionCommand(terminal: Terminal): Command {
  return new Command('version').action(async () => {
    const system = `${process.platform}/${process.arch}`;
    print(terminal, `spillway ${await ownVersion()} (Node.js ${process.version}, ${system})`);
  });
}
