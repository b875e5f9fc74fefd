// node scripts/test-mutations.mjs [PART OF A NAME...]: breaks a copy of the sources on purpose, one mutation after the other, and
// says which test noticed. Exit code 1 when one survives.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mutations } from './mutations/mutations.mjs';
import { Tests } from './mutations/tests.mjs';
import { say } from './setup/report.mjs';
import { root } from './setup.mjs';

/** @typedef {import('./mutations/mutations.mjs').Mutation} Mutation */

process.exitCode = await main(process.argv.slice(2));

/** @param {readonly string[]} words @returns {Promise<number>} the exit code */
async function main(words) {
  const chosen = mutations.filter(({ name }) => words.every((word) => name.includes(word)));
  const copy = mkdtempSync(join(tmpdir(), 'spillway-mutations-'));
  try {
    copySources(copy);
    await using tests = await Tests.of(copy);
    const { failed, broken } = await tests.run([...new Set(chosen.flatMap((mutation) => mutation.tests))]);
    if (failed.length > 0 || broken.length > 0) {
      say(`without any mutation, tests fail: ${[...failed, ...broken].join('; ')}`);
      return 1;
    }
    const survivors = [];
    for (const mutation of chosen) if (!(await isCaught(copy, tests, mutation))) survivors.push(mutation);
    say(`${chosen.length - survivors.length} of ${chosen.length} mutations were noticed`);
    return survivors.length === 0 ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** What git knows, as it is now; packages come from where they are installed. @param {string} copy */
function copySources(copy) {
  const listed = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of listed.stdout
    .split('\n')
    .filter((each) => /^(packages|scripts|docs|charts|monitoring)\/|^[^/]+$/.test(each))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { force: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** @param {string} copy @param {Tests} tests @param {Mutation} mutation @returns {Promise<boolean>} */
async function isCaught(copy, tests, { name, file, search, replace, tests: files }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(search);
  if (parts.length !== 2) {
    say(`STALE    ${name}: ${file} has ${parts.length - 1} times: ${search}`);
    return false;
  }
  tests.write(path, parts.join(replace));
  try {
    const { tests: count, failed, broken } = await tests.run(files);
    if (count === 0) say(`BROKEN   ${name}: no test ran, so it shows nothing: ${broken.join('; ')}`);
    else if (failed.length === 0) say(`SURVIVED ${name}: ${files.join(', ')} noticed nothing`);
    else say(`noticed  ${name}: ${failed[0]}${failed.length > 1 ? `, and ${failed.length - 1} more` : ''}`);
    return failed.length > 0;
  } finally {
    tests.write(path, source);
  }
}
