// What each task needs and runs. Commands are programs of node_modules/.bin; those of a step run side by side, and what they
// print is shown when they fail.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ needs: import('./setup.mjs').Need, steps: (root: string, args: string[]) => string[][][], env?: Record<string, string> }} Task */

/** @param {string} root */
function lint(root) {
  const sources = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`);
  return [
    [
      ['oxlint', '--type-aware', '--deny-warnings'],
      ['biome', 'format', '.'],
      ['tsc', '-p', 'tsconfig.json'],
      ['depcruise', '--config', '.dependency-cruiser.mjs', ...sources],
      ['knip'],
    ],
  ];
}

/** @param {readonly string[]} command */
const alone = (...command) => [[command]];

/** Libraries, in the order of their dependencies. */
const libraries = ['kube', 'streaming', 'link-agent', 'devcluster', 'cci-standin'];

/** @type {Record<string, Task>} */
export const tasks = {
  demo: {
    needs: 'cluster if possible',
    steps: (_root, args) => alone('node', '--conditions=spillway-source', 'packages/spillway/demo/main.ts', ...args),
  },
  bench: {
    needs: 'cluster if possible',
    steps: (_root, args) => alone('node', '--conditions=spillway-source', 'packages/spillway/bench/main.ts', ...args),
  },
  conformance: {
    needs: 'cluster',
    steps: (_root, args) =>
      alone('node', '--conditions=spillway-source', 'packages/spillway/conformance/main.ts', ...args),
  },
  test: {
    needs: 'cluster',
    steps: (root, args) => [...lint(root), ...alone('vitest', 'run', ...args)],
  },
  coverage: {
    needs: 'cluster',
    // Into files, so that the summary of the tests is the last that one sees.
    steps: (_root, args) =>
      alone('vitest', 'run', '--coverage', '--coverage.reporter=html', '--coverage.reporter=json-summary', ...args),
    // V8 counts less precisely what comes from it.
    env: { NODE_DISABLE_COMPILE_CACHE: '1' },
  },
  'test:unit': {
    needs: 'packages',
    steps: (_root, args) => alone('vitest', 'run', '--project', 'unit', ...args),
    env: { SPILLWAY_QUICK: '1' },
  },
  'test:mutations': {
    needs: 'packages',
    steps: (_root, args) => alone('node', 'scripts/test-mutations.mjs', ...args),
  },
  'test:soak': {
    needs: 'cluster',
    steps: (_root, args) => [
      ...alone('node', 'scripts/test-mutations.mjs'),
      ...alone('vitest', 'run', '--project', 'unit', 'property', ...args),
      ...alone(
        'vitest',
        'run',
        '--project',
        'integration',
        'kill-at-every-await',
        'leader-election',
        'placement.integration',
        'serve/interconnect',
        ...args,
      ),
    ],
    env: { SPILLWAY_SOAK: '1' },
  },
  'test:integration': {
    needs: 'cluster',
    steps: (_root, args) => alone('vitest', 'run', '--project', 'integration', '--project', 'product', ...args),
  },
  image: {
    needs: 'system',
    steps: (_root, args) => alone('node', '--conditions=spillway-source', 'packages/spillway/image/main.ts', ...args),
  },
  lint: { needs: 'packages', steps: lint },
  build: {
    needs: 'packages',
    steps: () => [
      ...libraries.flatMap((name) => alone('tsc', '-p', `packages/${name}/tsconfig.build.json`)),
      ...alone('node', 'packages/spillway/scripts/bundle.ts'),
    ],
  },
};
