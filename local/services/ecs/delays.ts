/** How long AWS takes for each step, in milliseconds of the clock. */

/** Drawn evenly from the range for each use. */
export interface Delay {
  readonly from: number;
  readonly to: number;
}

export interface Delays {
  /** An API call until the service scheduler first acts on it. */
  readonly reaction: Delay;
  /**
   * Between two looks of the service scheduler at a service: it registers, judges, starts and stops tasks only then.
   * Service events of real services stand on a grid of 10 s.
   */
  readonly cycle: Delay;
  /** PROVISIONING: placing the task, creating and attaching its network interface. */
  readonly provisioning: Delay;
  /** PENDING until the image pull starts. */
  readonly pending: Delay;
  /** The pull, on top of what reading the image really takes. */
  readonly pulling: Delay;
  /** Pull done until the container runs: unpacking, creating the container. */
  readonly starting: Delay;
  /** ACTIVATING. */
  readonly activating: Delay;
  /** DEACTIVATING until STOPPING is reported, when the stop does not wait for draining. */
  readonly deactivating: Delay;
  /** DEPROVISIONING: detaching and deleting the network interface. */
  readonly deprovisioning: Delay;
  /** A steady service until ECS says so: service event, `SERVICE_STEADY_STATE` and the deployment's COMPLETED. */
  readonly steadyState: Delay;
  /** RUNNING until a task without load balancer counts as healthy: 40 s (service definition parameters). */
  readonly settling: Delay;
}

const seconds = (from: number, to = from): Delay => ({ from: from * 1000, to: to * 1000 });

/**
 * Fargate: the sum to RUNNING is 21 to 36 s, and 30 to 45 s to registration, as users see it. Single steps are taken
 * from time stamps in published task events.
 */
export const fargateDelays: Delays = {
  reaction: seconds(0.5, 1.5),
  cycle: seconds(10),
  provisioning: seconds(8, 12),
  pending: seconds(1, 3),
  pulling: seconds(5, 9),
  starting: seconds(6, 10),
  activating: seconds(1, 2),
  deactivating: seconds(1, 2),
  deprovisioning: seconds(20, 26),
  steadyState: seconds(5, 60),
  settling: seconds(40),
};
