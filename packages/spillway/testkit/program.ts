import path from 'node:path';

/** Command line of Spillway from its sources, for a region whose node it is. */
export const spillwayProgram: readonly string[] = [
  process.execPath,
  '--conditions=spillway-source',
  path.join(import.meta.dirname, '../src/cli/main.ts'),
];
