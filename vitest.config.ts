import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Whole deployments in real processes, and the CDK's CLI: they wait more than they work, so two at a time. */
const whole = ['test/end-to-end/**/*.test.ts', 'test/infra/**/*.test.ts'];

/** Tests that want the machine for themselves: they start the demo, or load the balancer. */
const alone = ['test/end-to-end/{start,stop}.test.ts', 'test/balancer/**/*.test.ts'];

/** Whole deployments under virtual time, several files at once: each process has its own time. */
const simulated = ['test/simulation/**/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // By default one core is left free, which of two leaves one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...whole, ...alone, ...simulated],
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
          include: whole,
          exclude: alone,
          globalSetup: ['test/end-to-end/assembly.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          globalSetup: ['test/end-to-end/assembly.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
