/** When Docker starts a container again, and after how long. */
import { expect, it } from 'vitest';
import { Restarts, restartPolicy } from '../../local/instances/restart-policy.ts';

const delays = (policy: string, ends: readonly (readonly [exitCode: number, ranMs: number])[]) => {
  const restarts = new Restarts(restartPolicy(policy)!);
  return ends.map(([exitCode, ranMs]) => restarts.next(exitCode, ranMs));
};
const soon = [1, 0] as const;

it.each([
  [
    'always doubles its wait up to a minute',
    'always',
    Array.from({ length: 12 }, () => soon),
    [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000],
  ],
  ['always starts also what ended well', 'always', [[0, 0]], [100]],
  ['always begins anew after ten seconds', 'always', [soon, soon, [1, 10_000], soon], [100, 200, 100, 200]],
  ['unless-stopped is as always', 'unless-stopped', [[0, 0]], [100]],
  ['on-failure leaves what ended well', 'on-failure', [soon, [0, 0]], [100, undefined]],
  ['on-failure counts where it is told to', 'on-failure:2', [soon, soon, soon], [100, 200, undefined]],
  ['no starts nothing again', 'no', [soon], [undefined]],
] as const)('%s', (_, policy, ends, expected) => {
  expect(delays(policy, ends)).toEqual(expected);
});

it.each(['sometimes', 'always:3', 'on-failure:often', 'on-failure:1:2'])('%s is no policy', (text) => {
  expect(restartPolicy(text)).toBeUndefined();
});
