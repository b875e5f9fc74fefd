import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Cluster } from '@spillway/devcluster';
import { exitCodes } from '../src/cli/mistake.ts';
import { spillwayProgram } from '../testkit/program.ts';

/** A command as users type it, for the cluster of the demo. */
export type Words = readonly ['kubectl' | 'spillway', ...string[]];

interface ShowOptions {
  /** What of its output is shown; default: all. */
  readonly excerpt?: (output: string) => string;
  /** That it finds something to correct is no failure. */
  readonly mayFind?: boolean;
}

const print = (text: string): void => void process.stdout.write(text);

/** Shows a command and what it prints, as in a terminal. Returns its standard output. @throws when it fails */
export async function show(
  cluster: Cluster,
  words: Words,
  { excerpt, mayFind = false }: ShowOptions = {},
): Promise<string> {
  print(`\n$ ${words.map(quoted).join(' ')}\n`);
  const { code, output } = await run(cluster, words, '', excerpt ? () => {} : print, print);
  print(`${excerpt ? excerpt(output) : ''}\n`);
  const expected = mayFind ? [0, exitCodes.findings] : [0];
  if (!expected.includes(code)) throw new Error(`${words.join(' ')} ended with code ${code}`);
  return output;
}

/** What a command prints, which is not shown. @throws when it fails */
export async function outputOf(cluster: Cluster, words: Words, input = ''): Promise<string> {
  let told = '';
  const { code, output } = await run(cluster, words, input, undefined, (text) => (told += text));
  if (code !== 0) throw new Error(`${words.join(' ')} ended with code ${code}: ${told}`);
  return output;
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function run(
  { kubectlPath, kubeconfig }: Cluster,
  [program, ...args]: Words,
  input: string,
  onOutput: (text: string) => void = () => {},
  onTold: (text: string) => void = () => {},
): Promise<Ended> {
  const [command = '', ...before] = program === 'kubectl' ? [kubectlPath] : spillwayProgram;
  const child = spawn(command, [...before, ...args], { env: { ...process.env, KUBECONFIG: kubeconfig } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    onOutput(text);
  });
  child.stderr.setEncoding('utf8').on('data', onTold);
  // Whoever reads none of it may have ended already.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { code: Number(code ?? 1), output };
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}
