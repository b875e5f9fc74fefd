// node scripts/test-mutations.mjs [PART OF A NAME...]: breaks a copy of the sources on purpose, one mutation after the other, and
// says which test noticed. Exit code 1 when one survives.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mutations } from './mutations/mutations.mjs';
import { say } from './setup/report.mjs';
import { root } from './setup.mjs';

/** @typedef {import('./mutations/mutations.mjs').Mutation} Mutation */
/** @typedef {{ readonly tests: number, readonly failed: readonly string[] }} Run */

process.exitCode = main(process.argv.slice(2));

/** @param {readonly string[]} words @returns {number} the exit code */
function main(words) {
  const chosen = mutations.filter(({ name }) => words.every((word) => name.includes(word)));
  const copy = mkdtempSync(join(tmpdir(), 'spillway-mutations-'));
  try {
    copySources(copy);
    const { failed } = run(copy, [...new Set(chosen.flatMap(({ tests }) => tests))]);
    if (failed.length > 0) {
      say(`without any mutation, tests fail: ${failed.join('; ')}`);
      return 1;
    }
    const survivors = chosen.filter((mutation) => !isCaught(copy, mutation));
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
  for (const file of listed.stdout.split('\n').filter((each) => /^(packages|scripts)\/|^[^/]+$/.test(each))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file), { force: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** @param {string} copy @param {Mutation} mutation @returns {boolean} */
function isCaught(copy, { name, file, search, replace, tests }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(search);
  if (parts.length !== 2) {
    say(`STALE    ${name}: ${file} has ${parts.length - 1} times: ${search}`);
    return false;
  }
  writeFileSync(path, parts.join(replace));
  try {
    const { tests: count, failed } = run(copy, tests);
    if (count > 0 && failed.length === 0) say(`SURVIVED ${name}: ${tests.join(', ')} noticed nothing`);
    else if (count === 0) say(`BROKEN   ${name}: no test ran, so it shows nothing`);
    else say(`noticed  ${name}: ${failed[0]}${failed.length > 1 ? `, and ${failed.length - 1} more` : ''}`);
    return failed.length > 0;
  } finally {
    writeFileSync(path, source);
  }
}

/** @param {string} copy @param {readonly string[]} tests files @returns {Run} */
function run(copy, tests) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const reporters = ['--reporter=json', `--outputFile=${report}`];
  spawnSync('vitest', ['run', '--project', 'unit', ...reporters, ...tests], {
    cwd: copy,
    env: { ...process.env, SPILLWAY_QUICK: '1', SPILLWAY_SOAK: '' },
    stdio: 'ignore',
    timeout: 600_000,
  });
  /** @type {{ numTotalTests: number, testResults: { assertionResults: { status: string, title: string, ancestorTitles: string[] }[] }[] }} */
  const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = results
    .filter(({ status }) => status === 'failed')
    .map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(' › '));
  return { tests: numTotalTests, failed };
}
