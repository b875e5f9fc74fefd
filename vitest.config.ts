import path from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { TurnsSequencer } from './packages/spillway/testkit/turns.ts';
import { abilitiesOf, knownKubernetesVersion } from './packages/devcluster/src/kubernetes-version.ts';

// Tests run the TypeScript sources of the sibling packages, never their build. By alias, because vitest resolves a global
// set-up file without the conditions of its project.
const source = (name: string): string => path.join(import.meta.dirname, 'packages', name, 'src/index.ts');
const alias = Object.fromEntries(
  ['kube', 'streaming', 'link-agent', 'devcluster', 'cci-standin'].map((name) => [`@spillway/${name}`, source(name)]),
);
const shared = { resolve: { alias } };

// Conditions are waited for, however slow the machine is.
const patient = { expect: { poll: { timeout: 60_000 } } };

// `npm run test:soak` plays eighty times as many generated histories as `npm test` and kills with ten times its pods;
// `npm run test:unit` plays a tenth of the histories.
const soak = process.env['SPILLWAY_SOAK'] === '1';
const soakTimeout = 3_600_000;
const historyFactor = soak ? 80 : process.env['SPILLWAY_QUICK'] === '1' ? 0.1 : 1;
// Histories are made from a seed; a failure says with which seed and path it is played again.
const historySeed = Number(process.env['SPILLWAY_HISTORY_SEED'] ?? Date.now() % 2 ** 31);
const historyPath = process.env['SPILLWAY_HISTORY_PATH'] ?? '';
const generated = {
  ...patient,
  provide: { historyFactor, historySeed, historyPath },
  // Generated histories take a machine that is busy with other things many times as long.
  testTimeout: soak ? soakTimeout : 300_000,
  hookTimeout: 300_000,
};

// Three files at a time, because each of them waits more than it works, and no time limit that a slow machine could miss.
const onCluster = {
  ...patient,
  maxWorkers: 3,
  testTimeout: soak ? soakTimeout : 600_000,
  hookTimeout: 1_800_000,
};

// On an older Kubernetes: what needs neither a node nor admission policies.
const { containers } = abilitiesOf(knownKubernetesVersion(process.env['SPILLWAY_KUBERNETES_VERSION']));
const onAnyKubernetes = [
  'admission/admission',
  'kubelet/kubelet',
  'placement/placement',
  'serve/leader-election',
  'serve/outage',
  'serve/serve',
].map((name) => `packages/spillway/src/${name}.integration.test.ts`);

const config: ViteUserConfig = defineConfig({
  ...shared,
  test: {
    sequence: { sequencer: TurnsSequencer },
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'], exclude: ['**/generated/**', '**/*.test.ts'] },
    projects: [
      {
        ...shared,
        test: {
          ...generated,
          name: 'unit',
          // Most of these files take less time than a worker's start.
          isolate: false,
          // They work and hardly wait: each core has one.
          maxWorkers: '100%',
          include: ['packages/*/{src,scripts,bench,conformance,image,testkit}/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...shared,
        test: {
          ...onCluster,
          name: 'integration',
          globalSetup: ['packages/devcluster/testkit/global-setup.ts'],
          include: containers
            ? ['packages/*/{src,conformance,image,testkit}/**/*.integration.test.ts']
            : onAnyKubernetes,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...shared,
        test: {
          ...onCluster,
          name: 'product',
          include: containers ? ['packages/spillway/test/**/*.integration.test.ts'] : [],
          globalSetup: ['packages/spillway/testkit/global-setup.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
