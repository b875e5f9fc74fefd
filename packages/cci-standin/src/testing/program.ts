import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

/** Command line of Spillway from its sources. By path: neither of the two knows the other. */
export const spillway: readonly string[] = [
  execPath,
  '--conditions=spillway-source',
  fileURLToPath(new URL('../../../spillway/src/cli/main.ts', import.meta.url)),
];
