#!/usr/bin/env node
import { runCommandLine } from './command-line.ts';

// Whoever read the output has had enough: `spillway … | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

await runCommandLine(process.argv.slice(2), process);
