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
  const env = { ...process.env, ...task.env, PATH: path };
  const commands = task.commands(root, args);
  for (const [program = '', ...rest] of commands) {
    const began = performance.now();
    if (commands.length > 1) say(`▸ ${[program, ...rest].join(' ')}`);
    const command = program === 'node' ? node : join(root, 'node_modules/.bin', program);
    const { code } = await runChild(command, rest, { cwd: root, env });
    if (code !== 0) {
      if (commands.length > 1) say(`${program} failed (exit ${code}) after ${elapsed(began)}`);
      return code;
    }
  }
  return 0;
}
