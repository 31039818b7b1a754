import type { Occupancy, RuleEffect, RuleProperties, StandingRule } from '../core/traffic/listener-rule.ts';

/** A service's production rule on a listener. */
export interface ProductionRule {
  /** Found by the service's tags; undefined when the listener has none. */
  find(listener: string, properties: RuleProperties): Promise<StandingRule | undefined>;
  occupancy(groups: readonly string[]): Promise<Occupancy>;
  /** Returns the rule's ARN after the effect; undefined after a deletion. */
  apply(effect: RuleEffect, properties: RuleProperties): Promise<string | undefined>;
}
