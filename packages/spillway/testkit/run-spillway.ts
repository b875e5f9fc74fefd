import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { eventually } from './eventually.ts';
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

/** A command line that runs, to be interrupted or killed at what it says. */
export interface StartedCommand {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** True: it has said something like this to standard error. False: it has ended without. */
  says(pattern: RegExp): Promise<boolean>;
  ended(): Promise<Answer>;
}

/** Starts the command line in a process of its own, with this kubeconfig. */
export function startSpillway(kubeconfig: string, args: readonly string[]): StartedCommand {
  const [command = '', ...main] = spillwayProgram;
  const child = spawn(command, [...main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, KUBECONFIG: kubeconfig },
  });
  const exit = once(child, 'close');
  let [out, told] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    says: async (pattern) => {
      const [isSaid] = await eventually(`the command to say ${pattern}`, () =>
        pattern.test(told) ? ([true] as const) : hasEnded() && ([false] as const),
      );
      return isSaid;
    },
    ended: async () => {
      await exit;
      return { code: child.exitCode, out, told };
    },
  };
}

/** Runs the command line in a process of its own, with this kubeconfig, until it ends. */
export async function runSpillway(kubeconfig: string, args: readonly string[]): Promise<Answer> {
  return await startSpillway(kubeconfig, args).ended();
}
