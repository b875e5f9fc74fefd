import { execFile } from 'node:child_process';

interface RunOptions {
  readonly cwd?: string;
  readonly signal: AbortSignal;
}

/** Output of a command that went well. @throws with the end of what it said */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    execFile(command, args, { ...options, env, maxBuffer: 256 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (options.signal.aborted) return reject(error);
      const said = `${stdout}\n${stderr}`.trim().slice(-2000);
      reject(new Error(`${command} ${args.slice(0, 4).join(' ')} failed: ${said || error.message}`, { cause: error }));
    });
  });
}
