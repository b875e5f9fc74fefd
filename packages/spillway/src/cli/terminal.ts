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
