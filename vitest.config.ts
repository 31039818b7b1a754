import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whole deployments in real processes, and the CDK's CLI: they wait more than they work, so two at a time. */
const whole = ['test/end-to-end/**/*.test.ts', 'test/infra/**/*.test.ts'];

/** Tests that load the balancer: they want the machine for themselves. */
const alone = ['test/balancer/**/*.test.ts'];

/** The demo as it is started by hand: it waits more than it works, but not for others. */
const demo = ['test/end-to-end/{start,stop}.test.ts'];

/** Whole deployments under virtual time, several files at once: each process has its own time. */
const simulated = ['test/simulation/**/*.test.ts'];

/** Those of a minute: begun last they would leave a core idle. A fresh clone knows of no earlier run. */
const longest = /\/(?:matrix-[ac]|back|compare|events|faults|permissions|pushes|upgrade)[^/]*$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted(
      (one, other) => Number(longest.test(other.moduleId)) - Number(longest.test(one.moduleId)),
    );
  }
}

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // By default one core is left free, which of two leaves one.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...whole, ...alone, ...demo, ...simulated],
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
          exclude: demo,
          globalSetup: ['test/end-to-end/assembly.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'demo',
          include: demo,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
