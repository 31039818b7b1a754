/** What the balancer counts, under CloudWatch's metric names, between two reports. */
import type { Count } from './protocol.ts';

interface Tally {
  readonly loadBalancerArn: string;
  readonly targetGroupArn: string | undefined;
  readonly sums: Record<string, number>;
  readonly responseTimes: number[];
}

/** Statuses that have a metric of their own when the load balancer makes them. */
const ownMetric = new Set([500, 502, 503, 504]);

export class Counters {
  #tallies = new Map<string, Tally>();

  /** Counted for the load balancer alone. */
  balancer(loadBalancerArn: string, metric: string, amount = 1): void {
    this.#add(loadBalancerArn, undefined, metric, amount);
  }

  /** Counted for the load balancer and for the target group. */
  target(loadBalancerArn: string, targetGroupArn: string, metric: string): void {
    this.#add(loadBalancerArn, undefined, metric, 1);
    this.#add(loadBalancerArn, targetGroupArn, metric, 1);
  }

  /** A status that the load balancer made itself: never counted for a target group. */
  made(loadBalancerArn: string, status: number): void {
    if (status >= 300) this.balancer(loadBalancerArn, `HTTPCode_ELB_${Math.floor(status / 100)}XX_Count`);
    if (ownMetric.has(status)) this.balancer(loadBalancerArn, `HTTPCode_ELB_${status}_Count`);
  }

  /** A status that a target answered with, `seconds` after the request had left the balancer. */
  answered(loadBalancerArn: string, targetGroupArn: string, status: number, seconds: number): void {
    if (status >= 200) {
      this.target(loadBalancerArn, targetGroupArn, `HTTPCode_Target_${Math.floor(status / 100)}XX_Count`);
    }
    this.#tally(loadBalancerArn, undefined).responseTimes.push(seconds);
    this.#tally(loadBalancerArn, targetGroupArn).responseTimes.push(seconds);
  }

  /** What was counted since the last call. */
  take(): Count[] {
    const counts = [...this.#tallies.values()];
    this.#tallies = new Map();
    return counts;
  }

  #add(loadBalancerArn: string, targetGroupArn: string | undefined, metric: string, amount: number): void {
    const { sums } = this.#tally(loadBalancerArn, targetGroupArn);
    sums[metric] = (sums[metric] ?? 0) + amount;
  }

  #tally(loadBalancerArn: string, targetGroupArn: string | undefined): Tally {
    const key = `${loadBalancerArn} ${targetGroupArn ?? ''}`;
    let tally = this.#tallies.get(key);
    if (tally === undefined) {
      tally = { loadBalancerArn, targetGroupArn, sums: {}, responseTimes: [] };
      this.#tallies.set(key, tally);
    }
    return tally;
  }
}
