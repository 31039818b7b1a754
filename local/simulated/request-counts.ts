/** Requests by what became of them, reported in whole numbers: what is left of a request comes with the next report. */
import type { Count } from '../balancer/protocol.ts';
import { type Fate, isLost } from './fates.ts';

interface Total {
  readonly loadBalancerArn: string;
  readonly fate: Fate;
  requests: number;
  reported: number;
}

interface Tally {
  readonly loadBalancerArn: string;
  readonly targetGroupArn: string | undefined;
  readonly sums: Record<string, number>;
  readonly responseTimes: number[];
  readonly responseCounts: number[];
}

/** Sums of many shares fall short of whole numbers by less than this. */
const rounding = 1e-6;

export class RequestCounts {
  readonly #totals = new Map<string, Total>();
  #lost = 0;

  /** Requests that no application that was ready answered. */
  get lost(): number {
    return this.#lost;
  }

  /** `loadBalancerArn` is undefined for requests that reached none. */
  add(loadBalancerArn: string | undefined, fate: Fate, requests: number): void {
    if (isLost(fate)) this.#lost += requests;
    if (loadBalancerArn === undefined) return;
    const key = JSON.stringify([loadBalancerArn, fate]);
    const total = this.#totals.get(key);
    if (total === undefined) this.#totals.set(key, { loadBalancerArn, fate, requests, reported: 0 });
    else total.requests += requests;
  }

  /** What came to be whole since the last call. */
  take(): Count[] {
    const tallies = new Map<string, Tally>();
    for (const total of this.#totals.values()) {
      const requests = Math.floor(total.requests + rounding) - total.reported;
      if (requests === 0) continue;
      total.reported += requests;
      const { loadBalancerArn, fate } = total;
      const { balancer, both } = metricsOf(fate);
      const whole = tallyOf(tallies, loadBalancerArn, undefined);
      for (const metric of [...both, ...balancer]) whole.sums[metric] = (whole.sums[metric] ?? 0) + requests;
      if (fate.kind !== 'answered' && fate.kind !== 'broken') continue;
      const part = tallyOf(tallies, loadBalancerArn, fate.targetGroupArn);
      for (const metric of both) part.sums[metric] = (part.sums[metric] ?? 0) + requests;
      if (fate.kind !== 'answered') continue;
      for (const tally of [whole, part]) {
        tally.responseTimes.push(fate.latencyMs / 1000);
        tally.responseCounts.push(requests);
      }
    }
    return [...tallies.values()];
  }
}

function tallyOf(
  tallies: Map<string, Tally>,
  loadBalancerArn: string,
  targetGroupArn: string | undefined,
): Tally {
  const key = `${loadBalancerArn} ${targetGroupArn ?? ''}`;
  const tally = tallies.get(key) ?? {
    loadBalancerArn,
    targetGroupArn,
    sums: {},
    responseTimes: [],
    responseCounts: [],
  };
  tallies.set(key, tally);
  return tally;
}

/**
 * CloudWatch's names for it: counted for the load balancer alone, and for it and the target group. What the load balancer
 * answers itself is never counted for a group (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html).
 */
function metricsOf(fate: Fate): { balancer: readonly string[]; both: readonly string[] } {
  switch (fate.kind) {
    case 'answered':
      return { balancer: [], both: ['RequestCount', `HTTPCode_Target_${classOf(fate.status)}_Count`] };
    case 'broken':
      return {
        balancer: madeByBalancer(fate.status),
        both: ['RequestCount', ...(fate.status === 502 ? ['TargetConnectionErrorCount'] : [])],
      };
    case 'unrouted':
      return { balancer: madeByBalancer(503), both: [] };
    case 'made':
      return {
        balancer: [
          fate.redirect ? 'HTTP_Redirect_Count' : 'HTTP_Fixed_Response_Count',
          ...madeByBalancer(fate.status),
        ],
        both: [],
      };
    case 'unreachable':
      return { balancer: [], both: [] };
  }
}

function madeByBalancer(status: number): string[] {
  if (status < 300) return [];
  const own = [500, 502, 503, 504].includes(status) ? [`HTTPCode_ELB_${status}_Count`] : [];
  return [`HTTPCode_ELB_${classOf(status)}_Count`, ...own];
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}XX`;
}
