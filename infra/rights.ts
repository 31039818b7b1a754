/**
 * What one service lets one of the deployer's functions do. It stands in the service's own stack: the deployer must not
 * depend on the services that it deploys, which may live in other stacks.
 */
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Allowance, DeployerFunction } from './deployer-function.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';

export interface RightsProps {
  readonly service: string;
  readonly to: DeployerFunction;
}

export class Rights extends Construct {
  readonly #policy: Policy;

  constructor(scope: Construct, id: string, props: RightsProps) {
    super(scope, id);
    this.#policy = new Policy(this, 'Policy', {
      // A generated name is unique in its stack only; a second stack's policy of that name would replace the first's.
      policyName: `service-${props.service}`,
      roles: [props.to.role],
    });
  }

  /** `because`: why a wildcard among the resources is as narrow as it can be. */
  allow(actions: readonly string[], resources: readonly string[], options: Allowance = {}): void {
    this.#policy.addStatements(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(options.conditions && { conditions: options.conditions }),
      }),
    );
    if (options.because !== undefined) acknowledgeWildcards(this, resources, options.because);
  }
}
