import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline';

interface RunOptions {
  readonly cwd?: string;
  readonly signal: AbortSignal;
  /** Told each line of its output when it comes. */
  readonly onLine?: (line: string) => void;
}

/** Output of a command that went well. @throws with the end of what it said */
export function run(command: string, args: readonly string[], { onLine, ...options }: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    const child = execFile(command, args, { ...options, env, maxBuffer: 256 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (options.signal.aborted) return reject(error);
      const said = `${stdout}\n${stderr}`.trim().slice(-2000);
      reject(new Error(`${command} ${args.slice(0, 4).join(' ')} failed: ${said || error.message}`, { cause: error }));
    });
    if (onLine && child.stdout) createInterface({ input: child.stdout }).on('line', onLine);
  });
}
