import { defineConfig } from 'vitest/config';

// Tests run the TypeScript sources of the sibling packages, never their build.
const conditions = ['spillway-source'];
const shared = { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } };

export default defineConfig({
  test: {
    coverage: { provider: 'v8', include: ['packages/*/src/**/*.ts'], exclude: ['**/generated/**', '**/*.test.ts'] },
    projects: [
      {
        ...shared,
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], exclude: ['**/*.integration.test.ts'] },
      },
      {
        ...shared,
        test: {
          name: 'integration',
          include: ['packages/**/*.integration.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
