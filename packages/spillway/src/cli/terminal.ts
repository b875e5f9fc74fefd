/** What a command has of its process: `process` is one. */
export interface Terminal {
  /** The answer, which programs may read. */
  readonly stdout: Output;
  /** Progress, remarks and mistakes, for people. */
  readonly stderr: Output;
  exitCode?: typeof process.exitCode;
}

interface Output {
  write(text: string): unknown;
}

/** To the error stream, so that scripts can use the output. */
export function note(terminal: Terminal, line: string): void {
  terminal.stderr.write(`${line}\n`);
}

export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(`${text}\n`);
}
