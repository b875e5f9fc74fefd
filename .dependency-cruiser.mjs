// The import tables of docs/architecture.md, enforced. An arrow never points outwards.

const packages = {
  kube: [],
  streaming: [],
  spillway: ['kube', 'streaming', 'devcluster', 'cci-standin'],
  devcluster: ['kube'],
  'cci-standin': ['kube', 'devcluster'],
};

const layers = {
  podspec: [],
  observability: [],
  config: ['podspec'],
  'load-balancers': ['podspec'],
  placement: ['podspec', 'load-balancers'],
  backends: ['podspec'],
  pods: ['podspec', 'backends/backend.ts'],
  node: ['podspec', 'backends/backend.ts'],
  ledger: ['podspec', 'backends/backend.ts'],
  admission: ['placement/rules', 'load-balancers', 'podspec'],
  diagnosis: ['placement', 'load-balancers', 'podspec', 'pods'],
  kubelet: ['podspec', 'pods', 'backends/backend.ts'],
  addon: ['backends', 'placement', 'podspec', 'admission'],
  // Puts the parts of one process together; below it there is only the command line.
  pool: ['config', 'podspec', 'backends/backend.ts', 'pods', 'node', 'ledger', 'kubelet'],
  serve: [
    'config',
    'podspec',
    'placement',
    'load-balancers',
    'backends',
    'pods',
    'node',
    'ledger',
    'kubelet',
    'admission',
    'pool',
  ],
};
// Constructor-injected observability types are plain contracts that every layer above podspec may name.
const everywhere = ['observability'];

const source = 'packages/spillway/src';
// Tests and what only tests use may start clusters.
const tests = '\\.test\\.ts$|/testing/';

const packageRules = Object.entries(packages).flatMap(([name, allowed]) => [
  {
    name: `package-${name}`,
    severity: 'error',
    from: { path: `^packages/${name}/`, pathNot: '\\.integration\\.test\\.ts$' },
    to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
  },
  {
    name: `package-${name}-on-a-cluster`,
    comment: 'Integration tests may bring up a cluster',
    severity: 'error',
    from: { path: `^packages/${name}/.*\\.integration\\.test\\.ts$` },
    to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed, 'devcluster'].join('|')})/` },
  },
]);

const layerRules = Object.entries(layers).map(([name, allowed]) => ({
  name: `layer-${name}`,
  severity: 'error',
  from: { path: `^${source}/${name}/`, pathNot: tests },
  to: {
    path: `^${source}/`,
    pathNot: `^${source}/(${[name, ...allowed, ...(name === 'podspec' ? [] : everywhere)].join('|')})(/|$)`,
  },
}));

export default {
  forbidden: [
    ...packageRules,
    ...layerRules,
    ...['podspec', 'observability', 'config'].map((name) => ({
      name: `pure-${name}`,
      comment: 'Only the Kubernetes object types of kube may be named here',
      severity: 'error',
      from: { path: `^${source}/${name}/`, pathNot: tests },
      to: { path: '^packages/(?!spillway/)', dependencyTypesNot: ['type-only'] },
    })),
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
    // Integration tests start clusters from every package, and the parser does not know `await using` yet.
    exclude: { path: '/generated/|/dist/|\\.integration\\.test\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['spillway-source', 'import', 'node', 'default'],
    },
  },
};
