/** The minutes that CloudWatch has counts of a load balancer for: sent each minute, some minutes late. */

export const minuteMs = 60_000;

/** Younger counts are not trusted. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html names no delay; two minutes are what is seen. */
export const lateMs = 120_000;

/** From `from` until before `to`, both at the begin of a minute. Empty when `to` is not after `from`. */
export interface Minutes {
  readonly from: number;
  readonly to: number;
}

/** The whole minutes since then that are over and counted. */
export function countedSince(since: number, now: number): Minutes {
  return { from: nextMinute(since), to: lastMinute(now - lateMs) };
}

/** The begin of the first minute that is not before `at`. */
export function nextMinute(at: number): number {
  return Math.ceil(at / minuteMs) * minuteMs;
}

/** The begin of the minute that holds `at`. */
export function lastMinute(at: number): number {
  return Math.floor(at / minuteMs) * minuteMs;
}
