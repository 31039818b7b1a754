import { defineConfig } from 'vitest/config';

/** Tests that load the machine (whole deployments, real traffic, the CDK's CLI): one at a time, after all others. */
const heavy = ['test/end-to-end/**/*.test.ts', 'test/infra/**/*.test.ts', 'test/balancer/**/*.test.ts'];

/** Whole deployments under virtual time, several files at once: each process has its own time. */
const simulated = ['test/simulation/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...heavy, ...simulated],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'simulated',
          include: simulated,
          globalSetup: ['test/end-to-end/assembly.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: heavy,
          globalSetup: ['test/end-to-end/assembly.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
