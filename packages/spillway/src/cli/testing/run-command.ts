import { runCommandLine } from '../command-line.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs a command line in this process, for what is not about being one. */
export async function runCommand(...words: readonly string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' };
  const terminal = {
    stdout: { write: (text: string) => (said.stdout += text) },
    stderr: { write: (text: string) => (said.stderr += text) },
    exitCode: 0,
  };
  await runCommandLine(words, terminal);
  return { ...said, code: terminal.exitCode };
}
