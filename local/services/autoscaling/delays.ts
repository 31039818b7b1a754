/** How long AWS takes for each step of a group, in milliseconds of the clock. */
import type { Delay } from '../ecs/delays.ts';

export interface GroupDelays {
  /** A request until the group first acts on it. */
  readonly reaction: Delay;
  /** Between two looks of a group at its instances' health and number. */
  readonly cycle: Delay;
  /** EC2's `pending`, until an instance runs. */
  readonly launching: Delay;
  /** EC2's `shutting-down`, until an instance is terminated. */
  readonly terminating: Delay;
  /** A traffic source until the instances are registered with it. */
  readonly attaching: Delay;
  /** A launch that failed until the next try; doubled with each further failure, up to `retryAtMost`. */
  readonly retry: Delay;
  readonly retryAtMost: number;
}

const seconds = (from: number, to = from): Delay => ({ from: from * 1000, to: to * 1000 });

/**
 * Reaction: 15 to 23 s in published activities (https://github.com/hjacobs/kube-aws-autoscaler/issues/7,
 * https://github.com/aws/aws-parallelcluster/issues/1401). The others AWS does not tell: assumed.
 */
export const awsDelays: GroupDelays = {
  reaction: seconds(10, 23),
  cycle: seconds(15),
  launching: seconds(15, 30),
  terminating: seconds(30, 60),
  attaching: seconds(5, 15),
  retry: seconds(15),
  retryAtMost: 300_000,
};
