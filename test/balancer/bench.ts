/** A balancer with one listener and load balancer for each test, and the few words that tests need. */
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Balancer } from '../../local/balancer/balancer.ts';
import type {
  CountReport,
  ListenerSettings,
  RoutedTarget,
  RoutingRule,
} from '../../local/balancer/protocol.ts';

const arn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012';

export function weighted(weights: Record<string, number>, stickySeconds?: number): Action {
  return {
    Type: 'forward',
    ForwardConfig: {
      TargetGroups: Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })),
      TargetGroupStickinessConfig:
        stickySeconds === undefined ? { Enabled: false } : { Enabled: true, DurationSeconds: stickySeconds },
    },
  };
}

export const byDefault = (action: Action): RoutingRule => ({
  priority: undefined,
  conditions: [],
  actions: [action],
});

export class Bench {
  readonly balancer: Balancer;
  readonly #reports: CountReport[] = [];
  #waiting: (() => void)[] = [];
  #number = 0;
  url = '';

  constructor() {
    this.balancer = new Balancer({
      onCounts: (report) => {
        this.#reports.push(report);
        for (const wake of this.#waiting.splice(0)) wake();
      },
      onFailure: (failure) => {
        throw new Error('The balancer failed', { cause: failure });
      },
    });
  }

  async listen(rules: readonly RoutingRule[], settings: Partial<ListenerSettings> = {}): Promise<void> {
    const port = await this.balancer.listen(
      {
        listenerArn: this.#listenerArn,
        loadBalancerArn: this.#loadBalancerArn,
        port: 80,
        protocol: 'http',
        idleTimeoutMs: 60_000,
        dropInvalidHeaders: false,
        ...settings,
      },
      0,
      rules,
    );
    this.url = `http://127.0.0.1:${port}`;
  }

  route(rules: readonly RoutingRule[]): Promise<void> {
    return this.balancer.route(this.#listenerArn, rules);
  }

  group(
    targetGroupArn: string,
    targets: readonly (Pick<RoutedTarget, 'address'> & Partial<RoutedTarget>)[],
  ): Promise<void> {
    return this.balancer.group({
      targetGroupArn,
      targets: targets.map(({ address, state = 'healthy' }, index) => ({
        key: `10.0.0.${index}:80`,
        address,
        state,
      })),
      leastOutstandingRequests: false,
      minimumHealthy: { count: 1, percentage: 0 },
    });
  }

  async text(path = '/', init: RequestInit = {}): Promise<string> {
    const response = await fetch(`${this.url}${path}`, init);
    return `${response.status} ${await response.text()}`;
  }

  /** The sum of a metric, once it has been reported at least `atLeast`. Of the load balancer unless a group is named. */
  async counted(metric: string, atLeast: number, targetGroupArn?: string): Promise<number> {
    for (;;) {
      const sum = this.sum(metric, targetGroupArn);
      if (sum >= atLeast) return sum;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  sum(metric: string, targetGroupArn?: string): number {
    return this.#reports
      .flatMap((report) => report.counts)
      .filter(
        (count) => count.loadBalancerArn === this.#loadBalancerArn && count.targetGroupArn === targetGroupArn,
      )
      .reduce((sum, count) => sum + (count.sums[metric] ?? 0), 0);
  }

  /** Takes everything away for the next test. */
  async reset(): Promise<void> {
    await this.balancer.unlisten(this.#listenerArn);
    for (const group of ['blue', 'green']) await this.balancer.forget(group);
    this.#number += 1;
  }

  close(): Promise<void> {
    return this.balancer.close();
  }

  get #loadBalancerArn(): string {
    return `${arn}:loadbalancer/app/web/${this.#number}`;
  }

  get #listenerArn(): string {
    return `${arn}:listener/app/web/${this.#number}/1`;
  }
}
