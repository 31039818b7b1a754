/**
 * A service's production rule: made by the deployer's function, because CloudFormation would write weights whenever it
 * updates a rule, and weights belong to deployments.
 */
import { CustomResource, Duration, Fn, Stack, Token } from 'aws-cdk-lib';
import type {
  ApplicationTargetGroup,
  IApplicationListener,
  ListenerCondition,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import type { DeployerFunction } from './deployer-function.ts';
import { ServiceRights } from './service-rights.ts';

export interface ProductionRuleProps {
  readonly service: string;
  readonly to: DeployerFunction;
  readonly listener: IApplicationListener;
  readonly priority: number;
  readonly conditions: readonly ListenerCondition[];
  /** By slot. */
  readonly targetGroups: ReadonlyMap<string, ApplicationTargetGroup>;
}

export class ProductionRule extends Construct {
  readonly ruleArn: string;

  constructor(scope: Construct, id: string, props: ProductionRuleProps) {
    super(scope, id);
    const rights = this.#allow(props);
    const resource = new CustomResource(this, 'Rule', {
      resourceType: 'Custom::CutoverProductionRule',
      serviceToken: props.to.function.functionArn,
      serviceTimeout: Duration.minutes(5),
      properties: {
        Service: props.service,
        ListenerArn: props.listener.listenerArn,
        Priority: props.priority,
        Conditions: props.conditions.map((condition) => asAws(condition.renderRawCondition())),
        Slots: [...props.targetGroups].map(([Name, group]) => ({
          Name,
          TargetGroupArn: group.targetGroupArn,
        })),
      },
    });
    // The function must have its rights before it is called, and keep them until after it was called for the deletion.
    resource.node.addDependency(rights, props.to.role);
    this.ruleArn = resource.getAttString('RuleArn');
  }

  /** What goes by the balancer, for these actions know no tags of a rule; the rest is the deployer's for all services. */
  #allow({ service, to, listener }: ProductionRuleProps): ServiceRights {
    return new ServiceRights(this, 'Rights', {
      service,
      to,
      actions: ['elasticloadbalancing:CreateRule', 'elasticloadbalancing:SetRulePriorities'],
      resources: [ofBalancer(listener)],
      because:
        "A rule's id is known only after it was created, and a rule that moved to another listener may move back",
    });
  }
}

/**
 * All listeners of the balancer and their rules, for a rule that moves to another listener leaves the one that the template
 * names no more; in one pattern, for room is scarce.
 */
function ofBalancer(listener: IApplicationListener): string {
  const part = (index: number): string => Fn.select(index, Fn.split('/', listener.listenerArn));
  return Stack.of(listener).formatArn({
    service: 'elasticloadbalancing',
    resource: 'listener*',
    resourceName: `app/${part(2)}/${part(3)}/*`,
  });
}

/** As the API of ELB writes it. */
function asAws(condition: unknown): unknown {
  if (Array.isArray(condition)) return condition.map(asAws);
  if (typeof condition !== 'object' || condition === null || Token.isUnresolved(condition)) return condition;
  const members = Object.entries(condition).flatMap(([key, value]) =>
    value === undefined ? [] : [[key.charAt(0).toUpperCase() + key.slice(1), asAws(value)]],
  );
  return Object.fromEntries(members);
}
