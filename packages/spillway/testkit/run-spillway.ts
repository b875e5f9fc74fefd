import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { spillwayProgram } from './program.ts';

/** What a command has answered. */
export interface Answer {
  /** null: a signal has ended it. */
  readonly code: number | null;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly told: string;
}

/** Runs the command line in a process of its own, with this kubeconfig, until it ends. */
export async function runSpillway(kubeconfig: string, args: readonly string[]): Promise<Answer> {
  const [command = '', ...main] = spillwayProgram;
  const child = spawn(command, [...main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  let [out, told] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, out, told };
}
