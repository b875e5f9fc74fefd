// The set-up step: brings a fresh clone to where tasks can run, and does nothing when it is there already.
// Plain JavaScript for any Node from 20 on, because it runs before anything is installed.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './setup/child.mjs';
import { withLock } from './setup/lock.mjs';
import { nodeBinary } from './setup/node.mjs';
import { npmPackages } from './setup/npm-packages.mjs';
import { check, say, SetupError } from './setup/report.mjs';
import { systemPackages } from './setup/system-packages.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {'packages' | 'system' | 'cluster if possible' | 'cluster'} Need
 *   packages: what npm installs; system: also programs of the system, and root; cluster if possible: also what clusters need, with containers where they can run; cluster: all that
 *   tests on clusters with containers need.
 */

const waiting = () => say('set-up: waiting for another set-up of this folder');

/**
 * Returns the Node binary that runs the task.
 *
 * @param {Need} need
 */
export async function setUp(need) {
  return withLock(`set-up ${root}`, waiting, async () => {
    await npmPackages(root);
    const node = nodeBinary(root);
    if (need === 'packages') return node;
    const containers = await systemPackages(root);
    const privileged = process.getuid?.() === 0;
    if (need === 'system') {
      if (containers && privileged) return node;
      throw new SetupError('this needs root on Linux: run the same command with sudo');
    }
    if (need === 'cluster' && !(containers && privileged)) {
      throw new SetupError(
        'the integration tests run real containers, which needs root on Linux: run the same command with sudo. ' +
          'Without it there are npm run lint and npm run test:unit',
      );
    }
    const prepare = (/** @type {string[]} */ ...args) =>
      runChild(node, ['--conditions=spillway-source', ...args], { cwd: root });
    const parts = [
      ...(containers && privileged ? [] : ['--control-plane-only']),
      ...(need === 'cluster' ? ['--tests'] : []),
    ];
    check(await prepare('packages/devcluster/src/prepare.ts', ...parts), 'making the programs of the cluster');
    if (need === 'cluster') {
      check(await prepare('packages/spillway/conformance/prepare.ts'), "making Kubernetes' own tests");
    }
    return node;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setUp('cluster if possible');
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`set-up: ${error.message}`);
    process.exitCode = error.exitCode;
  }
}
