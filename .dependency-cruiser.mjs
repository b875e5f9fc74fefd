// The import tables of docs/architecture.md, enforced: they are read from there. An arrow never points outwards.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const page = readFileSync(join(import.meta.dirname, 'docs/architecture.md'), 'utf8');

/**
 * Rows of the table with this heading: what stands in the first column, and what that may import.
 *
 * @param {string} heading @returns {Record<string, readonly string[]>}
 */
function importTable(heading) {
  const [, table = ''] = page.split(`| ${heading} |`);
  const rows = table.split('\n\n')[0].split('\n').slice(2);
  if (rows.length === 0) throw new Error(`docs/architecture.md has no table "${heading}"`);
  return Object.fromEntries(
    rows.map((row) => {
      const [, name = '', , allowed = ''] = row.replaceAll('`', '').split('|');
      return [name.trim().replace(/^packages\/|\/$/g, ''), allowed.split(',').map((word) => word.trim())];
    }),
  );
}

const packages = importTable('package | what it is | may import');
const { cli: _, ...layers } = importTable('folder | what it holds | may import');
const packageNames = Object.keys(packages);

/** @param {readonly string[]} allowed */
const packagesOf = (allowed) => allowed.filter((name) => packageNames.includes(name));

// Constructor-injected observability types are plain contracts that every layer above podspec may name.
const everywhere = ['observability'];

const source = 'packages/spillway/src';
// Tests and what only tests use may start clusters.
const tests = '\\.test\\.ts$|/testing/';

const packageRules = Object.entries(packages).map(([name, allowed]) => ({
  name: `package-${name}`,
  severity: 'error',
  from: { path: `^packages/${name}/` },
  to: { path: '^packages/', pathNot: `^packages/(${[name, ...packagesOf(allowed)].join('|')})/` },
}));

// What no row allows is forbidden, so what has no row may import nothing.
const rowless = [
  {
    name: 'package-without-a-row',
    severity: 'error',
    from: { path: '^packages/', pathNot: `^packages/(${packageNames.join('|')})/` },
    to: {},
  },
  {
    name: 'folder-without-a-row',
    severity: 'error',
    from: { path: `^${source}/`, pathNot: [tests, `^${source}/(${[...Object.keys(layers), 'cli'].join('|')})/`] },
    to: {},
  },
];

const layerRules = Object.entries(layers).flatMap(([name, allowed]) => {
  const from = { path: `^${source}/${name}/`, pathNot: tests };
  return [
    {
      name: `layer-${name}`,
      severity: 'error',
      from,
      to: {
        path: `^${source}/`,
        pathNot: `^${source}/(${[name, ...allowed, ...(name === 'podspec' ? [] : everywhere)].join('|')})(/|$)`,
      },
    },
    {
      name: `packages-of-${name}`,
      severity: 'error',
      from,
      to: { path: '^packages/', pathNot: `^packages/(${['spillway', 'kube', ...packagesOf(allowed)].join('|')})/` },
    },
    ...(allowed.includes('kube')
      ? []
      : [
          {
            name: `types-of-kube-in-${name}`,
            comment: 'Only the Kubernetes object types of kube may be named here',
            severity: 'error',
            from,
            to: { path: '^packages/kube/', dependencyTypesNot: ['type-only'] },
          },
        ]),
  ];
});

export default {
  forbidden: [
    ...packageRules,
    ...layerRules,
    ...rowless,
    {
      name: 'devcluster-is-no-runtime',
      comment: 'devcluster and cci-standin are loaded only when spillway dev and spillway cci-region are used',
      severity: 'error',
      from: { path: `^${source}/(?!cli/)`, pathNot: tests },
      to: { path: '^packages/(devcluster|cci-standin)/' },
    },
    {
      name: 'no-io-in-podspec',
      comment: 'podspec decides; it does no I/O',
      severity: 'error',
      from: { path: `^${source}/podspec/`, pathNot: tests },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(buffer|crypto)$' },
    },
    {
      name: 'no-cycles',
      comment: 'Of types neither: what two files share has a file of its own',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    // Sees imports of types, too.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    // Integration tests may start a cluster from any package, and the parser does not know their `await using`.
    exclude: { path: '/generated/|/dist/|\\.integration\\.test\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['spillway-source', 'import', 'node', 'default'],
    },
  },
};
