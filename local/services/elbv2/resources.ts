/** Load balancers, listeners, rules and target groups of the account, and which of them refer to which. */
import type {
  Action,
  Listener,
  LoadBalancer,
  RuleCondition,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';

export interface LoadBalancerRecord {
  readonly arn: string;
  /** `app/web/50dc6c495c0c9188`, as metrics and the ARNs of what hangs on it name it. */
  readonly path: string;
  readonly settings: LoadBalancer;
  readonly attributes: Map<string, string>;
}

export interface RuleRecord {
  readonly arn: string;
  readonly listenerArn: string;
  /** `undefined` for the listener's default rule. */
  priority: number | undefined;
  conditions: readonly RuleCondition[];
  actions: readonly Action[];
}

export interface ListenerRecord {
  readonly arn: string;
  readonly loadBalancer: LoadBalancerRecord;
  /** Without the default actions: the default rule has them. */
  readonly settings: Listener;
  readonly attributes: Map<string, string>;
  readonly defaultRule: RuleRecord;
  /** Where it really listens. */
  localPort: number;
}

export interface TargetGroupRecord {
  readonly arn: string;
  /** `targetgroup/blue/73e2d6bc24d8a067`, as metrics name it. */
  readonly path: string;
  /** Without the load balancers, which follow from the rules. */
  readonly settings: TargetGroup;
  readonly attributes: Map<string, string>;
}

export class Resources {
  readonly loadBalancers = new Map<string, LoadBalancerRecord>();
  readonly listeners = new Map<string, ListenerRecord>();
  /** Default rules included. */
  readonly rules = new Map<string, RuleRecord>();
  readonly targetGroups = new Map<string, TargetGroupRecord>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Sixteen hexadecimal digits, as the last part of an ARN. */
  newId(): string {
    return Array.from({ length: 16 }, () => Math.floor(this.#random() * 16).toString(16)).join('');
  }

  /** An ARN for a rule of the listener. */
  newRuleArn(listenerArn: string): string {
    return `${listenerArn.replace(':listener/', ':listener-rule/')}/${this.newId()}`;
  }

  newArn(resource: string): string {
    return arn('elasticloadbalancing', resource);
  }

  loadBalancer(loadBalancerArn: string | undefined): LoadBalancerRecord {
    const found = this.loadBalancers.get(loadBalancerArn ?? '');
    if (found === undefined) {
      throw new AwsError('LoadBalancerNotFoundException', `Load balancer '${loadBalancerArn}' not found`);
    }
    return found;
  }

  listener(listenerArn: string | undefined): ListenerRecord {
    const found = this.listeners.get(listenerArn ?? '');
    if (found === undefined)
      throw new AwsError('ListenerNotFoundException', 'One or more listeners not found');
    return found;
  }

  rule(ruleArn: string | undefined): RuleRecord {
    const found = this.rules.get(ruleArn ?? '');
    if (found === undefined) throw new AwsError('RuleNotFoundException', 'One or more rules not found');
    return found;
  }

  targetGroup(targetGroupArn: string | undefined): TargetGroupRecord {
    const found = this.targetGroups.get(targetGroupArn ?? '');
    if (found === undefined)
      throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found');
    return found;
  }

  listenersOf(loadBalancer: LoadBalancerRecord): ListenerRecord[] {
    return [...this.listeners.values()].filter((listener) => listener.loadBalancer === loadBalancer);
  }

  /** The listener's rules in the order in which they are tried. */
  rulesOf(listenerArn: string): RuleRecord[] {
    const last = Number.POSITIVE_INFINITY;
    return [...this.rules.values()]
      .filter((rule) => rule.listenerArn === listenerArn)
      .sort((one, other) => (one.priority ?? last) - (other.priority ?? last));
  }

  /** All rules of the load balancer's listeners, default rules included. */
  rulesOfLoadBalancer(loadBalancer: LoadBalancerRecord): RuleRecord[] {
    return this.listenersOf(loadBalancer).flatMap((listener) => this.rulesOf(listener.arn));
  }

  /** The load balancer that has the group in a rule or default action, whatever its weight. */
  loadBalancerOf(targetGroupArn: string): LoadBalancerRecord | undefined {
    for (const rule of this.rules.values()) {
      if (groupsIn(rule.actions).has(targetGroupArn)) return this.listener(rule.listenerArn).loadBalancer;
    }
    return undefined;
  }

  /** The target groups that the load balancer's rules name. */
  groupsOf(loadBalancer: LoadBalancerRecord): Set<string> {
    return new Set(this.rulesOfLoadBalancer(loadBalancer).flatMap((rule) => [...groupsIn(rule.actions)]));
  }
}

/** The target groups that the actions forward to. */
export function groupsIn(actions: readonly Action[]): Set<string> {
  const tuples = actions.flatMap((action) => action.ForwardConfig?.TargetGroups ?? []);
  return new Set(tuples.flatMap((tuple) => tuple.TargetGroupArn ?? []));
}
