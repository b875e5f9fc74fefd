import { Command } from 'commander';
import { ownVersion } from '../own-version.ts';

export function versionCommand(): Command {
  return new Command('version').action(async () => {
    process.stdout.write(
      `spillway ${await ownVersion()} (Node.js ${process.version}, ${process.platform}/${process.arch})\n`,
    );
  });
}
