import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChild } from './child.mjs';
import { check, say, step } from './report.mjs';

const listsDir = '/var/lib/apt/lists';
const listsStaleMs = 24 * 3_600_000;
const policyPath = '/usr/sbin/policy-rc.d';
const policyMark = '# spillway set-up: no service starts while packages are installed';

/** Of clusters, and of images. */
const packageLists = ['packages/devcluster/host-packages.json', 'packages/spillway/image/host-packages.json'];

/** @typedef {{ package: string, anyOf: string[], static?: boolean }} HostPackage */

/**
 * Installs the system packages that real containers and images need. Says what to do where it may not, and returns false then.
 *
 * @param {string} root
 */
export async function systemPackages(root) {
  const missing = missingPackages(root);
  removeOurPolicy();
  if (missing.length === 0) return true;
  const names = missing.join(' ');
  if (process.platform !== 'linux') {
    say(`set-up: real containers need Linux, this is ${process.platform}: use a virtual machine`);
    return false;
  }
  if (!existsSync('/usr/bin/apt-get')) {
    say(
      `set-up: real containers need these, in Debian's names: ${names}. Install them with your system's package manager`,
    );
    return false;
  }
  if (process.getuid?.() !== 0) {
    say(`set-up: real containers need root and these packages: ${names}`);
    say(`set-up: to have them: sudo apt-get install ${names}, then run the same command with sudo`);
    return false;
  }
  say(`set-up: Debian packages to install: ${names}`);
  await step('system packages', () => withoutServices(() => install(missing)));
  return true;
}

/** @param {string} root @returns {string[]} */
function missingPackages(root) {
  /** @type {HostPackage[]} */
  const wanted = packageLists.flatMap((list) => JSON.parse(readFileSync(join(root, list), 'utf8')));
  return wanted
    .filter((entry) => !entry.anyOf.some((path) => isExecutable(path) && (entry.static !== true || isStatic(path))))
    .map((entry) => entry.package);
}

/** @param {string[]} packages */
async function install(packages) {
  // An installation that was interrupted is completed first.
  await must('dpkg', ['--configure', '-a']);
  if (listsAreStale()) await must('apt-get', ['update']);
  const args = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=600', ...packages];
  const first = await apt('apt-get', args, 'hidden');
  if (first.code === 0 || first.interrupted) {
    check(first, 'apt-get install');
    return;
  }
  // Mirrors drop old versions: the lists were too old after all.
  await must('apt-get', ['update']);
  await must('apt-get', args);
}

/** @param {string} command @param {string[]} args */
async function must(command, args) {
  check(await apt(command, args, 'on failure'), `${command} ${args[0]}`);
}

/** @param {string} command @param {string[]} args @param {'hidden' | 'on failure'} output */
function apt(command, args, output) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return runChild(command, args, { env, output });
}

function listsAreStale() {
  try {
    const lists = readdirSync(listsDir).filter((name) => name.includes('_Packages'));
    const newest = Math.max(...lists.map((name) => statSync(join(listsDir, name)).ctimeMs));
    return lists.length === 0 || Date.now() - newest > listsStaleMs;
  } catch {
    return true;
  }
}

/**
 * Debian starts the services of what it installs, containerd among them; every cluster has its own instead. A policy
 * that is there already stays, and so does its answer.
 *
 * @param {() => Promise<void>} work
 */
async function withoutServices(work) {
  const ours = !existsSync(policyPath);
  if (ours) writeFileSync(policyPath, `#!/bin/sh\n${policyMark}\nexit 101\n`, { mode: 0o755 });
  try {
    await work();
  } finally {
    if (ours) rmSync(policyPath, { force: true });
  }
}

/** After a set-up that was killed. */
function removeOurPolicy() {
  try {
    if (readFileSync(policyPath, 'utf8').includes(policyMark)) rmSync(policyPath);
  } catch {
    // There is none, or it is not ours to see.
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A dynamic program names its loader in its first bytes. @param {string} path */
function isStatic(path) {
  const start = Buffer.alloc(4096);
  const file = openSync(path, 'r');
  try {
    readSync(file, start, 0, start.length, 0);
  } finally {
    closeSync(file);
  }
  return !start.includes('/ld-');
}
