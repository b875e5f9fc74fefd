// What each task needs and runs. Commands are programs of node_modules/.bin, run one after the other.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ needs: import('./setup.mjs').Need, commands: (root: string, args: string[]) => string[][], env?: Record<string, string> }} Task */

/** @param {string} root */
function lint(root) {
  const sources = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/src`);
  return [
    ['oxlint', '--type-aware', '--deny-warnings'],
    ['biome', 'format', '.'],
    ['tsc', '-p', 'tsconfig.json'],
    ['depcruise', '--config', '.dependency-cruiser.mjs', ...sources],
    ['knip'],
  ];
}

/** Into files, so that the summary of the tests is the last that one sees. */
const coverage = ['--coverage', '--coverage.reporter=html', '--coverage.reporter=json-summary'];

/** In the order of their dependencies. */
const built = ['kube', 'streaming', 'devcluster', 'cci-standin', 'spillway'];

/** @type {Record<string, Task>} */
export const tasks = {
  demo: {
    needs: 'cluster if possible',
    commands: (_root, args) => [['node', '--conditions=spillway-source', 'packages/spillway/demo/main.ts', ...args]],
  },
  bench: {
    needs: 'cluster if possible',
    commands: (_root, args) => [['node', '--conditions=spillway-source', 'packages/spillway/bench/main.ts', ...args]],
  },
  conformance: {
    needs: 'cluster',
    commands: (_root, args) => [
      ['node', '--conditions=spillway-source', 'packages/spillway/conformance/main.ts', ...args],
    ],
  },
  test: {
    needs: 'cluster',
    commands: (root, args) => [...lint(root), ['vitest', 'run', ...coverage, ...args]],
  },
  'test:unit': {
    needs: 'packages',
    commands: (_root, args) => [['vitest', 'run', '--project', 'unit', ...args]],
    env: { SPILLWAY_QUICK: '1' },
  },
  'test:soak': {
    needs: 'cluster',
    commands: (_root, args) => [
      ['vitest', 'run', '--project', 'unit', 'property', ...args],
      [
        'vitest',
        'run',
        '--project',
        'integration',
        'kill-at-every-await',
        'leader-election',
        'placement.integration',
        ...args,
      ],
    ],
    env: { SPILLWAY_SOAK: '1' },
  },
  'test:integration': {
    needs: 'cluster',
    commands: (_root, args) => [['vitest', 'run', '--project', 'integration', '--project', 'product', ...args]],
  },
  lint: { needs: 'packages', commands: lint },
  build: {
    needs: 'packages',
    commands: () => built.map((name) => ['tsc', '-p', `packages/${name}/tsconfig.build.json`]),
  },
};
