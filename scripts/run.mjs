// node scripts/run.mjs TASK [ARGUMENT...]: sets up what the task needs, then runs it with the project's own Node.

import { dirname, join } from 'node:path';
import { runChild } from './setup/child.mjs';
import { elapsed, say, SetupError } from './setup/report.mjs';
import { root, setUp } from './setup.mjs';
import { tasks } from './tasks.mjs';

process.exitCode = await run(process.argv.slice(2));

/** @param {string[]} words @returns {Promise<number>} the exit code */
async function run([name = '', ...args]) {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task === undefined) {
    say(`"${name}" is no task. Tasks: ${Object.keys(tasks).join(', ')}`);
    return 2;
  }
  let node;
  try {
    node = await setUp(task.needs);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`set-up: ${error.message}`);
    return error.exitCode;
  }
  const path = [dirname(node), join(root, 'node_modules/.bin'), process.env['PATH']].join(':');
  const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node'), ...process.env, ...task.env, PATH: path };
  const steps = task.steps(root, args);
  const several = steps.flat().length > 1;
  /** @param {string[]} command @param {'shown' | 'on failure'} output @returns {Promise<number>} the exit code */
  const runCommand = async ([program = '', ...rest], output) => {
    const began = performance.now();
    if (several) say(`▸ ${[program, ...rest].join(' ')}`);
    const file = program === 'node' ? node : join(root, 'node_modules/.bin', program);
    const { code } = await runChild(file, rest, { cwd: root, env, output });
    if (code !== 0 && several) say(`${program} failed (exit ${code}) after ${elapsed(began)}`);
    return code;
  };
  for (const commands of steps) {
    const output = commands.length > 1 ? 'on failure' : 'shown';
    const codes = await Promise.all(commands.map((command) => runCommand(command, output)));
    const failed = codes.find((code) => code !== 0);
    if (failed !== undefined) return failed;
  }
  return 0;
}
