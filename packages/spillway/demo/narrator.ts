import type { Cluster } from '@spillway/devcluster';
import { exitCodes } from '../src/cli/mistake.ts';
import type { Testbed } from '../testkit/testbed.ts';

const started = performance.now();

/** Prints what the demo does, with the time since its start. */
export function say(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`${bold(`[${seconds} s] ${text}`)}\n`);
}

/** Shows a kubectl command and what it prints, as a user would see it; fails when kubectl fails. */
export async function show(
  cluster: Cluster,
  args: readonly string[],
  excerpt?: (text: string) => string,
): Promise<string> {
  process.stdout.write(`\n$ kubectl ${args.map(quoted).join(' ')}\n`);
  const { code, stdout, stderr } = await cluster.kubectl([...args]);
  const text = excerpt ? excerpt(stdout) : stdout;
  process.stdout.write(`${text}${stderr}\n`);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with code ${code}`);
  return stdout;
}

/** Shows a command of Spillway and what it prints; that it found something is no failure. */
export async function showSpillway(testbed: Testbed, args: readonly string[]): Promise<void> {
  process.stdout.write(`\n$ spillway ${args.map(quoted).join(' ')}\n`);
  process.stdout.write(`${await testbed.spillway(args, [0, exitCodes.findings])}\n`);
}

function bold(text: string): string {
  return process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text;
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
