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
import { Rights } from './rights.ts';

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

  #allow({ service, to, listener }: ProductionRuleProps): Rights {
    const rights = new Rights(this, 'Rights', { service, to });
    const rules = ofBalancer(listener, 'listener-rule');
    rights.allow(['elasticloadbalancing:CreateRule'], [ofBalancer(listener, 'listener')], {
      because: 'A rule that moved to another listener moves back when the update fails',
    });
    rights.allow(
      [
        'elasticloadbalancing:ModifyRule',
        'elasticloadbalancing:SetRulePriorities',
        'elasticloadbalancing:DeleteRule',
      ],
      [rules],
      { because: "A rule's id is known only after it was created" },
    );
    // Tags are set when the rule is created, never later.
    rights.allow(['elasticloadbalancing:AddTags'], [rules], {
      conditions: { StringEquals: { 'elasticloadbalancing:CreateAction': 'CreateRule' } },
    });
    return rights;
  }
}

/**
 * All listeners of the balancer, or their rules: a rule that moves to another listener leaves the one that the template
 * names no more. `…:listener/app/NAME/ID/LISTENER` comes to `…:listener-rule/app/NAME/ID/*`.
 */
function ofBalancer(listener: IApplicationListener, resource: 'listener' | 'listener-rule'): string {
  const part = (index: number): string => Fn.select(index, Fn.split('/', listener.listenerArn));
  return Stack.of(listener).formatArn({
    service: 'elasticloadbalancing',
    resource,
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
