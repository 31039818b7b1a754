/**
 * Service throttle logic: tasks that repeatedly fail to enter RUNNING are started again after growing waits, up to
 * 15 minutes. Tasks that reached RUNNING are never throttled, whatever becomes of them.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
 */

/** The first wait, and what it doubles up to, in milliseconds. AWS publishes the maximum only. */
const firstWait = 10_000;
const maximumWait = 15 * 60_000;

/** Failures in a row at which ECS says that the service is "unable to consistently start tasks". */
export const impairedAt = 3;

/** How long the scheduler waits after the `failures`th start in a row that failed. */
export function restartWait(failures: number): number {
  return failures === 0 ? 0 : Math.min(maximumWait, firstWait * 2 ** (failures - 1));
}
