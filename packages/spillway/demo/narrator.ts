const started = performance.now();

/** Prints what the demo does, with the time since its start. */
export function say(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`${bold(`[${seconds} s] ${text}`)}\n`);
}

function bold(text: string): string {
  return process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text;
}
