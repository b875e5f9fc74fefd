import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { check, SetupError, step } from './report.mjs';

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean, link?: boolean }>} Packages */

/** Installs what the lock file says, when that is not what is there. @param {string} root */
export async function npmPackages(root) {
  const wanted = await packagesOf(join(root, 'package-lock.json'));
  if (wanted === undefined) throw new SetupError(`${join(root, 'package-lock.json')} is missing or broken: restore it`);
  // npm writes this file at the end of every installation.
  const marker = join(root, 'node_modules/.package-lock.json');
  const before = await packagesOf(marker);
  if (before !== undefined && matches(wanted, before)) return;
  await step('npm packages from the lock file', async () => {
    const npm = process.env['npm_execpath'];
    const [command = 'npm', ...first] = npm === undefined ? [] : [process.execPath, npm];
    // Not npm ci: that refuses a lock file made where the registry lacks packages of other platforms, and starts from
    // nothing after an interruption. What counts is compared below.
    const args = [...first, 'install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline'];
    check(await runChild(command, args, { cwd: root, output: 'on failure' }), 'npm install');
    const after = await packagesOf(marker);
    if (after === undefined || !matches(wanted, after)) {
      throw new SetupError(
        'package.json asks for other packages than package-lock.json. After a change of dependencies run: npm install',
      );
    }
  });
}

/**
 * True when everything that the lock file names is installed in that version. Packages for other platforms are optional
 * and may be absent.
 *
 * @param {Packages} wanted
 * @param {Packages} installed
 */
function matches(wanted, installed) {
  const names = Object.keys(wanted).filter(
    (name) => name.startsWith('node_modules/') || name.includes('/node_modules/'),
  );
  const same = names.every((name) => {
    const entry = wanted[name];
    const there = installed[name];
    if (there === undefined) return entry?.optional === true;
    return there.version === entry?.version && there.integrity === entry?.integrity;
  });
  return same && Object.keys(installed).every((name) => name in wanted);
}

/** @param {string} path @returns {Promise<Packages | undefined>} */
async function packagesOf(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
