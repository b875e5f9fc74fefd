import { spawn } from 'node:child_process';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** A longer output is an error. */
  readonly maxOutputBytes: number;
}

export interface ProgramResult {
  readonly stdout: string;
  /** The end of it */
  readonly stderr: string;
  /** Undefined: it worked */
  readonly problem: string | undefined;
  readonly missing: boolean;
}

const keptOfStderr = 4096;

/** Runs a program without a standard input. It and what it started are killed when it takes too long or prints too much. */
export async function runProgram({ command, args, env, timeoutMs, maxOutputBytes }: Program): Promise<ProgramResult> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // A process group of its own, so that its children end with it.
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = Buffer.alloc(0);
  let missing = false;
  child.stdout.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes <= maxOutputBytes) stdout.push(chunk);
    else resolve(`it printed more than ${maxOutputBytes} bytes`);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-keptOfStderr);
  });
  child.on('error', (error) => {
    missing = 'code' in error && error.code === 'ENOENT';
    resolve(missing ? 'there is no such program' : error.message);
  });
  child.on('close', (code, signal) => {
    if (code === 0) resolve(undefined);
    else resolve(code === null ? `it was ended by ${signal}` : `it ended with code ${code}`);
  });
  const timer = setTimeout(() => resolve(`it did not end within ${timeoutMs / 1000} s`), timeoutMs);
  const problem = await promise;
  clearTimeout(timer);
  if (problem !== undefined && child.exitCode === null && child.pid !== undefined) killGroup(child.pid);
  child.stdout.destroy();
  child.stderr.destroy();
  return { stdout: Buffer.concat(stdout).toString('utf8'), stderr: stderr.toString('utf8').trim(), problem, missing };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
