import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './report.mjs';

const wantedMajor = 24;

/**
 * The Node that runs the sources: the one among the npm packages, or else the one that runs this script.
 *
 * @param {string} root
 */
export function nodeBinary(root) {
  const packaged = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(packaged)) return packaged;
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= wantedMajor) return process.execPath;
  throw new SetupError(
    `this is Node ${process.version} on ${process.platform} ${process.arch}, for which no Node ${wantedMajor} comes with ` +
      `the npm packages: install Node ${wantedMajor} and run the same command again`,
  );
}
