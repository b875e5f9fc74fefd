import { readFile } from 'node:fs/promises';
import { Agent, type Log } from './agent.ts';
import { dialDirectly } from './forward/dial.ts';
import { readOptions } from './options.ts';

const log: Log = (level, message, fields = {}) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
};

const ending = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ending.abort());

try {
  const { tokenFile, ...options } = readOptions(process.env);
  const agent = new Agent({ ...options, token: () => readFile(tokenFile, 'utf8'), dial: dialDirectly, log });
  await agent.run(ending.signal, () => log('info', 'answering names'));
} catch (error) {
  log('warn', 'the link agent cannot run', { error: String(error) });
  process.exitCode = 1;
}
